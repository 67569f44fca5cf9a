import { describe, expect, it } from 'vitest';

import type { StepMetrics } from '../../contract/StepMetrics';
import { hasGaps, joinedSteps, withEntry, withStep, withValidation, type Entry } from './fold';

const step = (step: number, loss = 1) => ({ step, loss }) as StepMetrics;
const numbers = (steps: readonly StepMetrics[]) => steps.map((one) => one.step);

describe('steps', () => {
  it('follow one another, and are done again after a checkpoint', () => {
    expect(numbers(withStep([step(1), step(2)], step(3)))).toEqual([1, 2, 3]);
    const again = withStep([step(1), step(2), step(3)], step(2, 9));
    expect([numbers(again), again[1]!.loss]).toEqual([[1, 2], 9]);
  });

  it('take up a validation loss', () => {
    expect(withValidation([step(1), step(2)], 2, 0.5)[1]!.validation_loss).toBe(0.5);
    expect(withValidation([step(1)], 7, 0.5)).toEqual([step(1)]);
  });

  it('are joined from what was fetched and what was told meanwhile', () => {
    expect(numbers(joinedSteps([step(1), step(2), step(3)], [step(3), step(4)]))).toEqual([1, 2, 3, 4]);
    expect(numbers(joinedSteps([step(1)], []))).toEqual([1]);
  });

  it('have gaps when some were not told', () => {
    expect([hasGaps([]), hasGaps([step(1), step(2)]), hasGaps([step(1), step(4)])]).toEqual([false, false, true]);
  });
});

it('the log does not grow without end', () => {
  let log: Entry[] = [];
  for (let at = 0; at < 600; at++) log = withEntry(log, { at, happened: { event: 'checkpoint', step: at } });
  expect([log.length, log[0]!.at, log.at(-1)!.at]).toEqual([500, 100, 599]);
});
