import { expect, it, vi } from 'vitest';

import { fakePlatform, type Answers } from '../../platform/fake';
import { aRun } from '../../platform/fake-data';
import { AppState } from '../../state/app.svelte';
import { batchOf, columnsIn } from './batch.svelte';

function show(answers: Answers) {
  const platform = fakePlatform(answers);
  const app = new AppState(platform);
  const batch = batchOf(app, 'p1');
  batch.take('/in/questions.csv');
  return { platform, app, batch };
}

const run = aRun({ id: 'r1' });
const columns = { code: 'app.columns', message: 'Which column?', params: { columns: 'id, question' } };

it('a file is answered by the trained model, the only column asked', async () => {
  const { platform, batch } = show({ answer_file: () => ({ path: '/in/answers.csv', rows: 40 }) });
  await batch.begin(run);
  expect(batch.answered.value).toEqual({ path: '/in/answers.csv', rows: 40 });
  expect(platform.asked[0]).toMatchObject({ path: '/in/questions.csv', prompt: null, answer: null, model: { kind: 'run', run: 'r1' }, out: null });
});

it('a reward model scores the answer that is named', async () => {
  let refuses = true;
  const { platform, batch } = show({
    answer_file() {
      if (refuses) throw { ...columns, code: 'worker.which_answer' };
      return { path: '/in/answers.scores.csv', rows: 3 };
    },
  });
  const judge = aRun({ id: 'r2', recipe: 'reward_model' });
  batch.who = 'base';
  batch.template = '{{id}}';
  await batch.begin(judge);
  expect(batch.needsQuestion).toBe(true);
  refuses = false;
  batch.answer = '{{question}}';
  await batch.begin(judge);
  expect(platform.asked.at(-1)).toMatchObject({ prompt: '{{id}}', answer: '{{question}}', model: { kind: 'run', run: 'r2' } });
  expect([batch.needsQuestion, batch.answered.value?.rows]).toEqual([false, 3]);
});

it('a refusal that names columns asks which is the question', async () => {
  let refuses = true;
  const { platform, batch } = show({
    answer_file() {
      if (refuses) throw columns;
      return { path: '/in/answers.csv', rows: 1 };
    },
  });
  await batch.begin(run);
  expect([batch.columns, batch.needsQuestion]).toEqual([['id', 'question'], true]);
  refuses = false;
  batch.template = '{{question}}';
  await batch.begin(run);
  expect(platform.asked.at(-1)).toMatchObject({ prompt: '{{question}}' });
  expect(batch.needsQuestion).toBe(false);
  batch.take('/in/other.csv');
  expect([batch.columns, batch.template, batch.answered.value]).toEqual([[], '', null]);
});

it('a stop that was wished for is nothing that went wrong', async () => {
  let end = (_: unknown) => {};
  const { app, batch } = show({ stop_answer_file: () => end({ code: 'app.stopped', message: 'Stopped.', params: {} }) });
  const call = app.call.bind(app);
  vi.spyOn(app, 'call').mockImplementation(((request: Parameters<typeof call>[0]) =>
    request.request === 'answer_file' ? new Promise((_, reject) => (end = reject)) : call(request)) as never);
  const answering = batch.begin(run);
  await batch.stop();
  await answering;
  expect([batch.wasStopped, batch.answered.error, batch.isStopping]).toEqual([true, null, false]);
});

it('what is left is told by the pace so far', () => {
  const { batch } = show({});
  const at = (done: number, now: number, stage = 'answering') => batch.secondsLeft({ stage, done, total: 100 }, now);
  expect(at(0, 0, 'loading')).toBeNull();
  expect(at(10, 1000)).toBeNull();
  expect(at(20, 3000)).toBeCloseTo(16);
});

it('columns come as a list', () => {
  expect(columnsIn({ columns: 'a,b, c' })).toEqual(['a', 'b', 'c']);
  expect(columnsIn({})).toBeNull();
});
