import { expect, it } from 'vitest';

import type { StepMetrics } from '../../contract/StepMetrics';
import { figureLines, rangeOf, sameRewards } from './figures';

const run = (count: number, figures: (step: number) => Record<string, number>) =>
  Array.from({ length: count }, (_, at) => ({ step: at + 1, loss: 0, figures: figures(at + 1) }) as unknown as StepMetrics);

it('a run has a chart for each figure that it measured, the most telling first', () => {
  const steps = run(20, (step) => ({ kl: step / 100, reward: step, reward_std: 2, entropy: 1, ...(step === 10 ? { eval_reward: 9 } : {}) }));
  const lines = figureLines(steps);
  expect(lines.map(({ name }) => name)).toEqual(['reward', 'kl']);
  expect(lines[0]!.unseen).toEqual({ steps: [10], values: [9] });
  expect(lines[0]!.spread!.values.every((value) => Math.abs(value - 2) < 1e-9)).toBe(true);
  expect(lines[1]!.spread).toBeNull();
  expect(figureLines(run(1, () => ({ reward: 1 })))).toEqual([]);
  expect(figureLines(run(9, () => ({ reward: NaN })))).toEqual([]);
});

it('the range holds the line with what lies around it', () => {
  const line = { steps: [1, 2], values: [1, 3] };
  const none = { steps: [], values: [] };
  expect(rangeOf({ name: 'reward', line, spread: { steps: [1, 2], values: [0.5, 2] }, unseen: none })).toEqual([0.5, 5]);
  expect(rangeOf({ name: 'kl', line: { steps: [1, 2], values: [2, 2] }, spread: null, unseen: none })).toEqual([1.5, 2.5]);
});

it('says when nearly all answers get the same, lately', () => {
  const share = (value: (step: number) => number) => sameRewards(run(40, (step) => ({ frac_reward_zero_std: value(step) })));
  expect(share(() => 0.9)).toBeCloseTo(0.9);
  expect(share((step) => (step > 30 ? 0.1 : 1))).toBeNull();
  expect(share(() => 0.8)).toBeNull();
  expect(sameRewards(run(5, () => ({})))).toBeNull();
});
