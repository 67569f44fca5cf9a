import { describe, expect, it } from 'vitest';

import type { StepMetrics } from '../../contract/StepMetrics';
import { bestStep, decimated, joined, lossLine, smoothed, validationLine, within } from './curve';

function step(step: number, loss: number, validation_loss?: number): StepMetrics {
  return {
    step,
    steps: 10,
    epoch: 0,
    loss,
    learning_rate: 0,
    grad_norm: 0,
    trained_tokens: 0,
    tokens: 0,
    tokens_per_second: 0,
    memory: 0,
    eta_seconds: 0,
    ...(validation_loss === undefined ? {} : { validation_loss }),
  };
}

describe('curves', () => {
  it('are taken from the steps', () => {
    const metrics = [step(1, 3), step(2, 2, 2.5), step(3, 1, 2.4), step(4, 0.5, 2.6)];
    expect(lossLine(metrics)).toEqual({ steps: [1, 2, 3, 4], values: [3, 2, 1, 0.5] });
    expect(validationLine(metrics)).toEqual({ steps: [2, 3, 4], values: [2.5, 2.4, 2.6] });
    expect(bestStep(metrics)).toEqual({ step: 3, loss: 2.4 });
    expect(bestStep([step(1, 3)])).toBeNull();
  });

  it('are smoothed without being drawn towards nothing', () => {
    const line = { steps: [1, 2, 3], values: [4, 4, 4] };
    smoothed(line, 0.9).values.forEach((value) => expect(value).toBeCloseTo(4));
    expect(smoothed({ steps: [1, 2], values: [4, 2] }, 0).values).toEqual([4, 2]);
    expect(smoothed({ steps: [1, 2], values: [3, 0] }, 0.5).values).toEqual([3, 1]);
  });

  it('keep their ends and their extremes when they are thinned out', () => {
    const steps = Array.from({ length: 10_000 }, (_, at) => at + 1);
    const values = steps.map((at) => (at === 5_000 ? 99 : at === 7_777 ? -99 : Math.sin(at)));
    const thin = decimated({ steps, values }, 400);
    expect(thin.steps.length).toBeLessThanOrEqual(400);
    expect(thin.values).toContain(99);
    expect(thin.values).toContain(-99);
    expect([thin.steps[0], thin.steps.at(-1)]).toEqual([1, 10_000]);
    expect(thin.steps).toEqual([...thin.steps].sort((a, b) => a - b));
    expect(decimated({ steps: [1, 2], values: [1, 2] }, 400).steps).toEqual([1, 2]);
  });

  it('are cut to what is looked at, with a point beyond each edge', () => {
    const line = { steps: [10, 20, 30, 40, 50], values: [1, 2, 3, 4, 5] };
    expect(within(line, { from: 25, to: 41 }).steps).toEqual([20, 30, 40, 50]);
    expect(within(line, { from: 60, to: 70 }).steps).toEqual([]);
    expect(within(line, null)).toBe(line);
  });

  it('share an axis', () => {
    const lines = [
      { steps: [1, 3], values: [5, 6] },
      { steps: [2, 3], values: [7, 8] },
    ];
    expect(joined(lines)).toEqual({
      steps: [1, 2, 3],
      columns: [
        [5, null, 6],
        [null, 7, 8],
      ],
    });
  });
});
