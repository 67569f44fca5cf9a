/** Rows above and below what is seen that are drawn all the same, so that scrolling shows no gaps. */
const spare = 8;

/** The tallest element that every engine draws reliably, in pixels; taller lists are scrolled faster. */
const tallest = 10_000_000;

/** Which rows of a long list to draw. */
export interface Window {
  /** First row drawn. */
  first: number;
  /** The row after the last one drawn. */
  end: number;
  /** Where the first row drawn stands, in pixels from the top of the list. */
  top: number;
  /** How tall the list is, in pixels. */
  height: number;
}

/** Rows of equal height, of which only those near what is seen are drawn. */
export function windowOf(scrolled: number, viewport: number, rows: number, rowHeight: number): Window {
  const height = Math.min(tallest, rows * rowHeight);
  // Where the upper edge of the view would be if the list had its full height.
  const edge = Math.max(0, scrolled) * pace(viewport, rows, rowHeight);
  const seen = Math.floor(edge / rowHeight);
  const first = Math.max(0, seen - spare);
  const end = Math.min(rows, seen + Math.ceil(viewport / rowHeight) + spare + 1);
  return { first: Math.min(first, end), end, top: scrolled - (edge - first * rowHeight), height };
}

/** How far to scroll so that a row stands at the upper edge. */
export function scrollTo(row: number, viewport: number, rows: number, rowHeight: number): number {
  return (row * rowHeight) / pace(viewport, rows, rowHeight);
}

/** Pixels of the full list per pixel scrolled: 1 unless the list is too tall to be drawn. */
function pace(viewport: number, rows: number, rowHeight: number): number {
  const full = rows * rowHeight;
  return full <= tallest ? 1 : (full - viewport) / (tallest - viewport);
}
