import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';

import type { Comparison } from '../../contract/Comparison';
import type { RunSummary } from '../../contract/RunSummary';
import type { Verdict } from '../../contract/Verdict';
import { speak } from '../../messages/messages.svelte';
import { fakePlatform, type Answers } from '../../platform/fake';
import { fakeBrowser } from '../../platform/fake-browser';
import { aProject, aRun } from '../../platform/fake-data';
import type { Platform } from '../../platform';
import { AppState, appContext } from '../../state/app.svelte';
import EvaluateStep from './EvaluateStep.svelte';

const estimate = (value: number) => ({ value, low: value - 0.05, high: value + 0.05 });
const answer = (text: string) => ({ text, probabilities: [], loss_sum: 1, loss_tokens: 1 });
const accuracy: Comparison = {
  metric: 'accuracy',
  higher_is_better: true,
  before: estimate(0.5),
  after: estimate(0.9),
  difference: estimate(0.4),
  p_value: 0.0001,
  test: 'mcnemar',
  rows: 20,
};
const verdict: Verdict = {
  task: 'classify',
  rows: 20,
  outcome: 'better',
  deciding_metric: 'accuracy',
  sentence: 'Better: as Rust says it.',
  sentence_code: 'classify.better',
  sentence_params: { rows: '20', before: '50', after: '90', low: '+35', high: '+45' },
  comparisons: [accuracy],
  majority_accuracy: 0.55,
  majority_label: 'happy',
  answers_changed: 1,
  confusion_before: {
    labels: ['happy', 'sad'],
    counts: [
      [8, 2],
      [8, 2],
    ],
  },
  confusion_after: {
    labels: ['happy', 'sad'],
    counts: [
      [9, 1],
      [1, 9],
    ],
  },
  forgetting: { before: 20, after: 20.2, tokens: 2048 },
  side_by_side: [
    { prompt: 'What a day', reference: 'happy', before: answer('sad'), after: answer('happy') },
    { prompt: 'It rained', reference: 'sad', before: answer('sad'), after: answer('happy') },
  ],
  picks: [
    { row: 3, why: 'gain', score: 'probability', before: 0.2, after: 0.9 },
    { row: 7, why: 'regression', score: 'probability', before: 0.8, after: 0.3 },
  ],
  seed: 1,
};
const judged = aRun({ state: 'judged', outcome: 'better' });

function show(runs: RunSummary[], answers: Answers = {}, parts: Partial<Platform> = {}) {
  const platform = fakePlatform({ verdict: () => ({ verdict }), ...answers }, parts);
  const app = new AppState(platform);
  render(EvaluateStep, { props: { project: aProject({ runs }) }, context: appContext(app) });
  return platform;
}

describe('evaluate', () => {
  beforeEach(() => {
    fakeBrowser();
    speak('en');
  });

  it('says the verdict first, then what it rests on', async () => {
    show([judged]);
    expect((await screen.findByText('Better:')).parentElement?.textContent).toContain(
      'the right label 90.0% of the time, up from 50.0%',
    );
    expect(screen.getByText('1 answer is different from before.')).toBeTruthy();
    expect(screen.getByText(/always answering “happy” would reach: 55.0%/)).toBeTruthy();
    expect(screen.getByRole('img', { name: 'Right answers: before 50.0%, after 90.0%' })).toBeTruthy();
    expect(screen.getByText(/What the model knew is intact/)).toBeTruthy();
    expect(screen.getAllByRole('table', { hidden: true })).toHaveLength(2);
  });

  it('speaks Chinese', async () => {
    speak('zh');
    show([judged]);
    expect(await screen.findByText('变好了：')).toBeTruthy();
  });

  it('shows only what got worse when asked to', async () => {
    show([judged]);
    expect(await screen.findByText('What a day')).toBeTruthy();
    await fireEvent.click(screen.getByRole('radio', { name: 'Got worse (1)' }));
    expect(screen.queryByText('What a day')).toBeNull();
    const row = screen.getByText('It rained').closest('article')!;
    expect(within(row).getByText('Lost')).toBeTruthy();
    expect(within(row).getByText('(wrong)')).toBeTruthy();
  });

  it('writes the report in the language that is spoken, and opens it', async () => {
    const opened: string[] = [];
    const platform = show(
      [judged],
      { report: () => ({ path: '/runs/r1/report.html' }) },
      {
        openPage: async (path) => void opened.push(path),
      },
    );
    await fireEvent.click(await screen.findByRole('button', { name: 'Report' }));
    expect(platform.asked).toContainEqual({ request: 'report', project: 'p1', run: 'r1', language: 'en' });
    await expect.poll(() => opened).toEqual(['/runs/r1/report.html']);
  });

  it('waits for the verdict of a run that is being judged', () => {
    show([aRun({ state: 'judging' })]);
    expect(screen.getByText(/The verdict stands here in a moment/)).toBeTruthy();
  });

  it('shows the verdict of the run that is chosen', async () => {
    const platform = show([judged, aRun({ id: 'r0', state: 'judged', outcome: 'worse', created: 1e12 })]);
    await screen.findByText('Better:');
    expect(platform.asked).toEqual([{ request: 'verdict', project: 'p1', run: 'r1' }]);
    expect(screen.getByLabelText(/^Run: /)).toBeTruthy();
  });

  it('examines reward models, which write no answers to compare', async () => {
    const preference = { ...verdict, task: 'preference' as const, confusion_before: null, confusion_after: null };
    show([{ ...judged, recipe: 'reward_model' }], { verdict: () => ({ verdict: preference }), reward_examined: () => ({ examined: null }) });
    expect(await screen.findByRole('region', { name: 'Can this reward model be trusted?' })).toBeTruthy();
    expect(await screen.findByText('Not examined yet')).toBeTruthy();
    expect(screen.queryByText(/Blind comparison/)).toBeNull();
  });
});
