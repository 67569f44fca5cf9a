import { describe, expect, it } from 'vitest';

import type { StepMetrics } from '../../contract/StepMetrics';
import { at, chartData, usualSmoothing, zoomed } from './series';

function metrics(count: number, validateEvery: number): StepMetrics[] {
  return Array.from({ length: count }, (_, index) => {
    const step = index + 1;
    const one = { step, loss: 2 - step / count } as StepMetrics;
    return step % validateEvery === 0 ? { ...one, validation_loss: one.loss + 0.1 } : one;
  });
}

describe('the chart', () => {
  it('has three lines for one run, two for each of several', () => {
    const one = metrics(10, 5);
    expect(chartData([one], 0.9, null).series.map((series) => series.kind)).toEqual(['each', 'smooth', 'validation']);
    expect(chartData([one], 0, null).series.map((series) => series.kind)).toEqual(['smooth', 'validation']);
    expect(chartData([one, one], 0.9, null).series.map((series) => [series.run, series.kind])).toEqual([
      [0, 'smooth'],
      [0, 'validation'],
      [1, 'smooth'],
      [1, 'validation'],
    ]);
  });

  it('stays small however long the run is', () => {
    const { steps, columns } = chartData([metrics(50_000, 500)], 0.9, null);
    expect(steps.length).toBeLessThan(4000);
    expect(columns.every((column) => column.length === steps.length)).toBe(true);
  });

  it('shows every point of a part that is looked at', () => {
    const { steps } = chartData([metrics(50_000, 500)], 0, { from: 1000, to: 1100 });
    expect([steps[0], steps.at(-1), steps.length]).toEqual([500, 1500, 105]);
  });
});

it('what was measured is found by its step', () => {
  const some = [{ step: 2 }, { step: 5 }] as StepMetrics[];
  expect([at(some, 1), at(some, 2)?.step, at(some, 4)?.step, at(some, 9)?.step]).toEqual([null, 2, 2, 5]);
});

it('zoom keeps the end, and ends at everything', () => {
  expect(zoomed(null, 101, 0.5)).toEqual({ from: 51, to: 101 });
  expect(zoomed({ from: 51, to: 101 }, 101, 2)).toBeNull();
  expect(zoomed({ from: 20, to: 40 }, 101, 2)).toEqual({ from: 1, to: 41 });
});

it('short runs are hardly smoothed', () => {
  expect([5, 20, 50, 1000].map(usualSmoothing)).toEqual([0, 0.5, 0.8, 0.9]);
});
