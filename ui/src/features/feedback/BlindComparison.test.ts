import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { beforeEach, expect, it } from 'vitest';

import type { Duel } from '../../contract/Duel';
import { speak } from '../../messages/messages.svelte';
import { fakePlatform } from '../../platform/fake';
import { fakeBrowser } from '../../platform/fake-browser';
import { aBallot, aProject, aRun, aVotedBallot } from '../../platform/fake-data';
import { fakeFeedback } from '../../platform/fake-feedback';
import { AppState, appContext } from '../../state/app.svelte';
import BlindComparison from './BlindComparison.svelte';

const run = aRun({ state: 'judged' });

function show(duels: Duel[], ballots = [aVotedBallot(aBallot(1), { kind: 'best', answer: 0 })]) {
  const platform = fakePlatform({
    ...fakeFeedback(ballots, { duels }),
    feedback_prompts: () => ({ prompts: ['One?'] }),
    add_ballots: () => {},
  });
  const app = new AppState(platform);
  render(BlindComparison, { props: { project: aProject({ runs: [run] }), run }, context: appContext(app) });
  return platform;
}

const duel = (first_wins: number): Duel => ({
  first: 'Starter',
  second: 'Tuned',
  first_wins,
  second_wins: 8,
  ties: 0,
  win_rate: { value: 0.2, low: 0.06, high: 0.45, of: 8 + first_wins },
  p_value: 0.1,
});

beforeEach(() => {
  fakeBrowser();
  speak('en');
});

it('hides how it stands until there are ten votes, or somebody wants to know', async () => {
  show([duel(1)]);
  expect(await screen.findByText(/shown after 10 votes.*; 9 so far/)).toBeTruthy();
  expect(screen.queryByText(/is preferred to/)).toBeNull();
  await fireEvent.click(screen.getByRole('button', { name: 'Show it now' }));
  expect(screen.getByText('“Tuned” is preferred to “Starter” in 80% (55–94%) of 9 comparisons.')).toBeTruthy();
});

it('shows how it stands after ten votes', async () => {
  show([duel(2)]);
  expect(await screen.findByText(/“Tuned” is preferred to “Starter”/)).toBeTruthy();
});

it('begins with one answer of each', async () => {
  const platform = show([], []);
  await fireEvent.click(await screen.findByRole('button', { name: 'Begin' }));
  await waitFor(() =>
    expect(platform.asked).toContainEqual(
      expect.objectContaining({ request: 'add_ballots', prompts: ['One?'], authors: [{ kind: 'run', run: 'r1', epoch: null }, { kind: 'base' }] }),
    ),
  );
  expect(platform.asked).toContainEqual({ request: 'feedback_prompts', project: 'p1', count: 20 });
});
