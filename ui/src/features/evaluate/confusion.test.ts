import { expect, it } from 'vitest';

import { condensed, mostLabels, shares } from './confusion';

it('rare labels are put together without losing a row', () => {
  const labels = Array.from({ length: 20 }, (_, label) => `label ${label}`);
  const counts = labels.map((_, row) => labels.map((_, column) => row * 20 + column));
  const all = counts.flat().reduce((sum, number) => sum + number, 0);
  const together = condensed({ labels, counts }, (number) => `others (${number})`);
  expect(together.labels.length).toBe(mostLabels);
  expect(together.labels.at(-1)).toBe('others (9)');
  expect(together.counts.flat().reduce((sum, number) => sum + number, 0)).toBe(all);
});

it('shares are of the true label, and of nothing they are nothing', () => {
  expect(
    shares({
      labels: ['a', 'b'],
      counts: [
        [3, 1],
        [0, 0],
      ],
    }),
  ).toEqual([
    [0.75, 0.25],
    [0, 0],
  ]);
});
