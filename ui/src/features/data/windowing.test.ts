import { describe, expect, it } from 'vitest';

import { scrollTo, windowOf } from './windowing';

describe('of a long list only what is seen is drawn', () => {
  it('at its beginning, in the middle and at its end', () => {
    expect(windowOf(0, 400, 1000, 40)).toEqual({ first: 0, end: 19, top: 0, height: 40_000 });
    expect(windowOf(20_010, 400, 1000, 40)).toEqual({ first: 492, end: 519, top: 19_680, height: 40_000 });
    expect(windowOf(39_600, 400, 1000, 40).end).toBe(1000);
  });

  it('when it is short, empty, or scrolled beyond its end', () => {
    expect(windowOf(0, 400, 3, 40)).toEqual({ first: 0, end: 3, top: 0, height: 120 });
    expect(windowOf(0, 400, 0, 40)).toEqual({ first: 0, end: 0, top: 0, height: 0 });
    expect(windowOf(9000, 400, 3, 40)).toMatchObject({ first: 3, end: 3 });
    expect(windowOf(-50, 400, 100, 40).first).toBe(0);
  });

  it('also when it would be taller than an engine draws', () => {
    const rows = 5_000_000;
    const list = windowOf(0, 400, rows, 40);
    expect(list.height).toBe(10_000_000);
    // At the very end of the scroll bar stands the last row, at the lower edge of the view.
    const end = windowOf(list.height - 400, 400, rows, 40);
    expect(end.end).toBe(rows);
    expect(end.top + (rows - end.first) * 40).toBeCloseTo(list.height, 3);
  });

  it('and a row is found', () => {
    for (const [rows, row] of [[1000, 500], [5_000_000, 4_000_000]] as const) {
      const { first, top } = windowOf(scrollTo(row, 400, rows, 40), 400, rows, 40);
      const place = top + (row - first) * 40 - scrollTo(row, 400, rows, 40);
      expect(Math.abs(place)).toBeLessThan(1);
    }
  });
});
