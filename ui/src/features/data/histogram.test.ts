import { expect, it } from 'vitest';

import { barsOf, middleOf } from './histogram';

it('bins become bars', () => {
  expect(barsOf([[8, 2], [16, 4], [24, 0]])).toEqual([
    { from: 1, to: 8, rows: 2, height: 0.5 },
    { from: 9, to: 16, rows: 4, height: 1 },
    { from: 17, to: 24, rows: 0, height: 0 },
  ]);
  expect(barsOf([])).toEqual([]);
});

it('half of the rows are not longer than the middle', () => {
  expect(middleOf([[8, 2], [16, 4], [24, 1]], 20)).toBe(16);
  expect(middleOf([[8, 1], [16, 1]], 12)).toBe(8);
  expect(middleOf([], 0)).toBe(0);
  // Nothing is longer than the longest row, where the last bin ends beyond it.
  expect(middleOf([[88, 1], [92, 5]], 90)).toBe(90);
});
