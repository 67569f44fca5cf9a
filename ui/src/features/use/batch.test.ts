import { expect, it, vi } from 'vitest';

import { fakePlatform, type Answers } from '../../platform/fake';
import { aRun } from '../../platform/fake-data';
import { AppState } from '../../state/app.svelte';
import { batchOf } from './batch.svelte';

const run = aRun({ id: 'r1' });
const looked = { columns: ['id', 'question', 'reply'], prompt: '{{question}}', answer: '{{reply}}' };

async function show(answers: Answers) {
  const platform = fakePlatform({ look_at_file: () => looked, ...answers });
  const app = new AppState(platform);
  const batch = batchOf(app, 'p1');
  await batch.take('/in/questions.csv', run);
  return { platform, app, batch };
}

it('a file is answered by the trained model, asked what the columns tell', async () => {
  const { platform, batch } = await show({ answer_file: () => ({ path: '/in/answers.csv', rows: 40 }) });
  expect([batch.columns.value, batch.template]).toEqual([looked.columns, '{{question}}']);
  await batch.begin(run);
  expect(batch.answered.value).toEqual({ path: '/in/answers.csv', rows: 40 });
  expect(platform.asked.at(-1)).toMatchObject({ path: '/in/questions.csv', prompt: '{{question}}', answer: null, model: { kind: 'run', run: 'r1' }, out: null });
});

it('a reward model scores the answer that is proposed, or another', async () => {
  const { platform, batch } = await show({ answer_file: () => ({ path: '/in/answers.scores.csv', rows: 3 }) });
  const judge = aRun({ id: 'r2', recipe: 'reward_model' });
  batch.who = 'base';
  await batch.begin(judge);
  expect(platform.asked.at(-1)).toMatchObject({ prompt: '{{question}}', answer: '{{reply}}', model: { kind: 'run', run: 'r2' } });
  batch.answer = '{{id}}';
  await batch.begin(judge);
  expect(platform.asked.at(-1)).toMatchObject({ answer: '{{id}}' });
});

it('another file is looked at anew, and one that cannot be read says so', async () => {
  let isThere = true;
  const { batch } = await show({
    look_at_file() {
      if (!isThere) throw { code: 'data.read', message: 'Not there.', params: {} };
      return { columns: ['text'], prompt: null, answer: null };
    },
  });
  expect([batch.columns.value, batch.template]).toEqual([['text'], '']);
  isThere = false;
  await batch.take('/in/other.csv', run);
  expect([batch.path, batch.columns.value, batch.template]).toEqual(['/in/other.csv', null, '']);
  expect(batch.columns.error).toMatchObject({ fault: { code: 'data.read' } });
});

it('a stop that was wished for is nothing that went wrong', async () => {
  let end = (_: unknown) => {};
  const { app, batch } = await show({ stop_answer_file: () => end({ code: 'app.stopped', message: 'Stopped.', params: {} }) });
  const call = app.call.bind(app);
  vi.spyOn(app, 'call').mockImplementation(((request: Parameters<typeof call>[0]) =>
    request.request === 'answer_file' ? new Promise((_, reject) => (end = reject)) : call(request)) as never);
  const answering = batch.begin(run);
  await batch.stop();
  await answering;
  expect([batch.wasStopped, batch.answered.error, batch.isStopping]).toEqual([true, null, false]);
});

it('what is left is told by the pace so far', async () => {
  const { batch } = await show({});
  const at = (done: number, now: number, stage = 'answering') => batch.secondsLeft({ stage, done, total: 100 }, now);
  expect(at(0, 0, 'loading')).toBeNull();
  expect(at(10, 1000)).toBeNull();
  expect(at(20, 3000)).toBeCloseTo(16);
});
