/** A bar of the chart of lengths. */
export interface Bar {
  /** Tokens from and to, both included. */
  from: number;
  to: number;
  rows: number;
  /** Share of the tallest bar, 0 to 1. */
  height: number;
}

/** Bars from bins that are given by their upper ends. */
export function barsOf(lengths: readonly (readonly [number, number])[]): Bar[] {
  const most = Math.max(1, ...lengths.map(([, rows]) => rows));
  return lengths.map(([to, rows], at) => ({ from: (lengths[at - 1]?.[0] ?? 0) + 1, to, rows, height: rows / most }));
}

/** The length that half of the rows do not exceed: the upper end of its bin, which may lie beyond the longest row. */
export function middleOf(lengths: readonly (readonly [number, number])[], longest: number): number {
  const total = lengths.reduce((sum, [, rows]) => sum + rows, 0);
  let seen = 0;
  for (const [to, rows] of lengths) {
    seen += rows;
    if (2 * seen >= total) return Math.min(to, longest);
  }
  return 0;
}
