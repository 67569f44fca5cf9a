import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';

import type { Request } from '../../contract/Request';
import { speak } from '../../messages/messages.svelte';
import { fakePlatform, type Answers } from '../../platform/fake';
import { fakeBrowser } from '../../platform/fake-browser';
import { aBallot, aBase, aFile, aProject, aRun, aVotedBallot } from '../../platform/fake-data';
import { fakeFeedback } from '../../platform/fake-feedback';
import type { Platform } from '../../platform';
import { AppState, appContext } from '../../state/app.svelte';
import { feedbackOf } from './desk.svelte';
import FeedbackPage from './FeedbackPage.svelte';

type Vote = Extract<Request, { request: 'vote' }>;

const project = aProject({ base: aBase(), files: [aFile()], runs: [aRun({ state: 'judged' })] });
const three = () => [aBallot(1, ['Yes.', 'No.']), aBallot(2, ['Red.', 'Blue.', 'Green.']), aBallot(3)];

async function show(given: Answers, parts: Partial<Platform> = {}) {
  const answers: Answers = { feedback_prompts: () => ({ prompts: ['One?', 'Two?'] }), ...given };
  const platform = { ...fakePlatform(answers, parts), answers };
  location.hash = '#/project/p1/feedback';
  const app = new AppState(platform);
  app.opening.value = project;
  render(FeedbackPage, { props: { project }, context: appContext(app) });
  const votes = () => platform.asked.filter((request): request is Vote => request.request === 'vote');
  return { app, platform, votes };
}

/** Chooses from the menu of files. */
async function choose(name: string) {
  await fireEvent.keyDown(await screen.findByRole('button', { name: 'Files of votes' }), { key: 'Enter' });
  await fireEvent.click(await screen.findByRole('menuitem', { name }));
}

const press = (key: string, held = {}) => fireEvent.keyDown(document.body, { key, ...held });

describe('feedback', () => {
  beforeEach(() => {
    fakeBrowser();
    speak('en');
  });

  it('has questions answered by both models', async () => {
    const { platform } = await show({ ...fakeFeedback([]), add_ballots: () => {} });
    await fireEvent.click(await screen.findByRole('button', { name: 'Write answers to 2 questions' }));
    await waitFor(() =>
      expect(platform.asked).toContainEqual(
        expect.objectContaining({
          request: 'add_ballots',
          prompts: ['One?', 'Two?'],
          authors: [{ kind: 'run', run: 'r1', epoch: null }, { kind: 'base' }],
        }),
      ),
    );
  });

  it('takes questions of one’s own, one a line', async () => {
    const { platform } = await show({ ...fakeFeedback([]), add_ballots: () => {} });
    await fireEvent.click(await screen.findByRole('radio', { name: 'My own' }));
    await fireEvent.input(screen.getByLabelText('One question a line'), { target: { value: 'A?\n\n  \nB?\nC?' } });
    await fireEvent.click(screen.getByRole('radio', { name: 'Base model' }));
    await fireEvent.click(screen.getByRole('radio', { name: '3' }));
    await fireEvent.click(screen.getByRole('button', { name: 'Write answers to 3 questions' }));
    await waitFor(() => expect(platform.asked.at(-2)).toMatchObject({ prompts: ['A?', 'B?', 'C?'], authors: [{ kind: 'base' }, { kind: 'base' }, { kind: 'base' }] }));
  });

  it('is voted with keys alone, without names, and taken back', async () => {
    const { votes } = await show(fakeFeedback(three()));
    expect(await screen.findByText('Question 1?')).toBeTruthy();
    expect(screen.getByText('1 of 3')).toBeTruthy();
    expect(screen.queryByText('Tuned')).toBeNull();
    await press('2');
    expect(await screen.findByText('Question 2?')).toBeTruthy();
    expect(votes()[0]).toMatchObject({ ballot: 1, choice: { kind: 'best', answer: 1 } });
    expect(votes()[0]!.seconds).toBeGreaterThanOrEqual(0);
    expect(await screen.findByText('Taken: B is the best.')).toBeTruthy();
    await press('t');
    expect(await screen.findByText('Question 3?')).toBeTruthy();
    await waitFor(() => expect(screen.getByText('3 of 3')).toBeTruthy());
    await press('z', { ctrlKey: true });
    expect(await screen.findByText('Question 2?')).toBeTruthy();
    expect(votes().at(-1)).toMatchObject({ ballot: 2, choice: null });
    await press('x');
    await screen.findByText('Question 3?');
    await press('s');
    expect(await screen.findByText('Nothing left to vote on')).toBeTruthy();
    expect(votes().map(({ choice }) => choice?.kind)).toEqual(['best', 'tie', undefined, 'all_bad', 'skip']);
  });

  it('never shows a ballot again whose vote is known, however late older answers come', async () => {
    const { app, platform, votes } = await show(fakeFeedback(three()));
    await screen.findByText('Question 1?');
    const { call } = platform;
    const late: (() => void)[] = [];
    platform.call = async (request) => {
      const reply = await call(request);
      if (request.request === 'feedback') await new Promise<void>((resolve) => late.push(resolve));
      return reply;
    };
    const desk = feedbackOf(app, 'p1');
    platform.tell({ event: 'ballots', project: 'p1', writing: 0, fault: null });
    await waitFor(() => expect(late).toHaveLength(1));
    await press('1');
    await waitFor(() => expect(votes()).toHaveLength(1));
    platform.tell({ event: 'ballots', project: 'p1', writing: 0, fault: null });
    const seen: (string | undefined)[] = [];
    for (let answered = 0; answered < 2; answered += 1) {
      await waitFor(() => expect(late.length).toBeGreaterThan(answered));
      late[answered]!();
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen.push(`${desk.done} ${desk.current?.id}`);
    }
    expect(seen).toEqual(['1 2', '1 2']);
    expect(await screen.findByText('Taken: A is the best.')).toBeTruthy();
  });

  it('gives stars to each answer before it sends them', async () => {
    const { votes } = await show(fakeFeedback(three()));
    await fireEvent.click(await screen.findByRole('radio', { name: 'Stars' }));
    await press('4');
    await press('Enter');
    expect(votes()).toEqual([]);
    await press('1');
    await press('Enter');
    expect(await screen.findByText('Question 2?')).toBeTruthy();
    expect(votes()[0]!.choice).toEqual({ kind: 'stars', stars: [4, 1] });
  });

  it('lets an answer be edited into the right one', async () => {
    const { votes } = await show(fakeFeedback(three()));
    await screen.findByText('Question 1?');
    await press('e');
    await press('1');
    const field = await screen.findByLabelText<HTMLTextAreaElement>('Edit answer A into the right one');
    expect(field.value).toBe('Yes.');
    await fireEvent.input(field, { target: { value: 'Yes, on Monday.' } });
    await fireEvent.keyDown(field, { key: '2' });
    expect(votes()).toEqual([]);
    await fireEvent.keyDown(field, { key: 'Enter', ctrlKey: true });
    expect(await screen.findByText('Question 2?')).toBeTruthy();
    expect(votes()[0]!.choice).toEqual({ kind: 'edit', answer: 0, text: 'Yes, on Monday.' });
  });

  it('keeps a ballot whose vote was refused, and says why', async () => {
    const refuse = () => {
      throw { code: 'project.busy', message: 'busy', params: {} };
    };
    await show({ ...fakeFeedback(three()), vote: refuse });
    await screen.findByText('Question 1?');
    await press('1');
    expect(await screen.findByText('The project is being changed by another program. Try again in a moment.')).toBeTruthy();
    expect(screen.getByText('Question 1?')).toBeTruthy();
  });

  it('shows the votes with names, warns of length, and votes again', async () => {
    const share = { value: 0.78, low: 0.62, high: 0.88, of: 30 };
    const { votes } = await show(fakeFeedback(three(), { pairs: 7, longer_preferred: share }));
    await screen.findByText('Question 1?');
    await press('1');
    await screen.findByText('Question 2?');
    await fireEvent.click(screen.getByRole('tab', { name: /Votes/ }));
    const row = (await screen.findByText('Question 1?')).closest('li')!;
    expect(within(row).getByText('Tuned')).toBeTruthy();
    expect(screen.getByText('62–88% of 30 pairs')).toBeTruthy();
    expect(screen.getByText(/The longer answer usually wins/)).toBeTruthy();
    await fireEvent.click(within(row).getByRole('button', { name: 'Vote again' }));
    await waitFor(() => expect(votes().at(-1)).toMatchObject({ ballot: 1, choice: null }));
    expect(await screen.findByText('Question 1?')).toBeTruthy();
    expect(screen.queryByText('Tuned')).toBeNull();
  });

  it('puts votes into the data', async () => {
    const { app, platform } = await show({
      ...fakeFeedback(three(), { pairs: 7 }),
      use_feedback: () => ({ project: { ...project, files: [aFile(), aFile({ name: 'feedback.jsonl' })] } }),
    });
    await screen.findByText('Question 1?');
    await press('1');
    await screen.findByText('Question 2?');
    await fireEvent.click(screen.getByRole('tab', { name: /Votes/ }));
    await fireEvent.click(await screen.findByRole('button', { name: 'Use these votes: Better and worse answers' }));
    await waitFor(() => expect(app.toasts.all.map(({ text }) => text)).toContain('feedback.jsonl is now in your data.'));
    expect(platform.asked).toContainEqual({ request: 'use_feedback', project: 'p1', form: 'preference' });
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Use these votes: Corrected answers' }).disabled).toBe(true);
  });

  it('tells several people apart, and how far they agree', async () => {
    const voted = (id: number, rater: string) => {
      const ballot = aVotedBallot(aBallot(id), { kind: 'best', answer: 0 });
      return { ...ballot, vote: { ...ballot.vote!, rater } };
    };
    const ballots = [voted(1, ''), voted(2, 'Ann'), voted(3, 'Ann')];
    await show(fakeFeedback(ballots, { agreement: 0.1, judged_by_several: 1 }));
    await fireEvent.click(await screen.findByRole('tab', { name: /Votes/ }));
    expect(await screen.findByText(/they agree hardly more often than by chance/)).toBeTruthy();
    expect(screen.getByRole('heading', { name: 'All votes' })).toBeTruthy();
    await fireEvent.click(screen.getByRole('button', { name: 'Ann 2' }));
    expect(screen.getByRole('heading', { name: 'Votes: Ann' })).toBeTruthy();
    expect([screen.queryByText('Question 1?'), screen.queryByText('Question 3?')?.textContent]).toEqual([null, 'Question 3?']);
    await fireEvent.click(screen.getByRole('button', { name: 'Everyone 3' }));
    expect(screen.getByText('Question 1?')).toBeTruthy();
  });

  it('takes in votes of others and says who voted how often', async () => {
    const theirs = aVotedBallot(aBallot(2), { kind: 'tie' });
    const ballots = [aVotedBallot(aBallot(1), { kind: 'tie' })];
    const { platform } = await show(
      { ...fakeFeedback(ballots), import_feedback: ({ rater }) => {
        ballots.push({ ...theirs, vote: { ...theirs.vote!, rater } });
        Object.assign(platform.answers, fakeFeedback(ballots));
        return { added: 1 };
      } },
      { pickFiles: () => Promise.resolve(['/home/ann/votes.jsonl']) },
    );
    await choose('Import votes');
    await fireEvent.click(await screen.findByRole('button', { name: 'Choose a file' }));
    await screen.findByText('/home/ann/votes.jsonl');
    await fireEvent.input(screen.getByLabelText('Who voted'), { target: { value: 'Ann' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Import' }));
    expect(await screen.findByText('1 question was added.')).toBeTruthy();
    expect(within(screen.getByRole('list', { name: 'Who voted' })).getAllByRole('listitem').map((item) => item.textContent?.trim())).toEqual([
      'You 1 vote',
      'Ann 1 vote',
    ]);
    expect(platform.asked).toContainEqual({ request: 'import_feedback', project: 'p1', path: '/home/ann/votes.jsonl', rater: 'Ann' });
  });

  it('writes votes to a file where the person wants it', async () => {
    const { app, platform } = await show(
      { ...fakeFeedback(three()), export_feedback: () => ({ rows: 3 }) },
      { pickNewFile: (proposed) => Promise.resolve(proposed.replace('/projects/p1', '/home/me').replace('feedback.jsonl', 'mine.jsonl')) },
    );
    await choose('Export votes');
    await fireEvent.click(await screen.findByRole('button', { name: 'Choose where' }));
    await screen.findByDisplayValue('/home/me/mine.jsonl');
    await fireEvent.click(screen.getByRole('button', { name: 'Write file' }));
    await waitFor(() =>
      expect(platform.asked).toContainEqual({ request: 'export_feedback', project: 'p1', form: null, path: '/home/me/mine.jsonl' }),
    );
    await waitFor(() => expect(app.toasts.all[0]?.text).toContain('/home/me/mine.jsonl'));
  });

  it('follows the answers as they are written', async () => {
    const ballots = three();
    const { platform } = await show(fakeFeedback(ballots));
    await screen.findByText('Question 1?');
    platform.tell({ event: 'ballots', project: 'other', writing: 9, fault: null });
    expect(screen.queryByText(/being written/)).toBeNull();
    const fault = { code: 'worker.crashed', message: 'It crashed.', params: {} };
    platform.tell({ event: 'ballots', project: 'p1', writing: 0, fault });
    expect(await screen.findByText(/^The process that computes ended unexpectedly\./)).toBeTruthy();
  });
});
