import { expect, it } from 'vitest';

import type { Entry } from './fold';
import { withRemembered } from './fold';
import { byPrompt, rewardParts, type Sample } from './samples';

const sample = (step: number, prompt: string, answer = `${step}`): Sample => ({ event: 'sample', step, prompt, answer, reward: null, parts: [] });
const log = (...samples: Sample[]): Entry[] => samples.map((happened) => ({ at: 0, happened }));

it('answers stand under their question, the newest first', () => {
  const asked = byPrompt(log(sample(10, 'A'), sample(10, 'B'), sample(20, 'A')));
  expect(asked.map(({ prompt, samples }) => [prompt, samples.map(({ step }) => step)])).toEqual([
    ['A', [20, 10]],
    ['B', [10]],
  ]);
});

it('steps that were done again replace what was', () => {
  const [asked] = byPrompt(log(sample(10, 'A', 'first'), sample(10, 'A', 'again')));
  expect(asked!.samples.map(({ answer }) => answer)).toEqual(['again']);
});

it('what a run remembers stands before what was heard, and once', () => {
  const heard = log(sample(20, 'A'));
  const remembered = withRemembered(heard, [sample(10, 'A'), sample(20, 'A'), { event: 'reference', done: 1, total: 2 }]);
  expect(remembered.map(({ at, happened }) => [at, happened.event === 'sample' && happened.step])).toEqual([
    [null, 10],
    [0, 20],
  ]);
  expect(withRemembered(remembered, [sample(10, 'A'), sample(20, 'A')])).toEqual(remembered);
});

it('the parts of a reward are called as its figures are, whatever their order', () => {
  expect(rewardParts({ reward: 1, 'rewards/2/reward_model': 0.5, 'rewards/1/length': 0.5, 'rewards/margins': 1 })).toEqual(['length', 'reward_model']);
  expect(rewardParts(undefined)).toEqual([]);
});
