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
  expect(middleOf([[8, 2], [16, 4], [24, 1]])).toBe(16);
  expect(middleOf([[8, 1], [16, 1]])).toBe(8);
  expect(middleOf([])).toBe(0);
});
