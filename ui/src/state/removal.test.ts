import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { speak } from '../messages/messages.svelte';
import { fakePlatform, type Answers } from '../platform/fake';
import { aFile, aProject } from '../platform/fake-data';
import { AppState } from './app.svelte';

const file = 'mail.csv';

beforeEach(() => {
  speak('en');
  vi.useFakeTimers();
  location.hash = '#/project/p1/data';
});
afterEach(() => void vi.useRealTimers());

function opened(answers: Answers = {}) {
  const platform = fakePlatform({
    remove_file: () => ({ project: aProject() }),
    add_text: () => ({ project: aProject() }),
    rows: () => ({ page: { columns: [], rows: [], total: 0 } }),
    check_data: () => {},
    ...answers,
  });
  const app = new AppState(platform);
  app.opening.value = aProject({ files: [aFile({ name: file })] });
  return { app, asked: () => platform.asked.map(({ request }) => request) };
}

it('a file is removed when the time to undo is over', async () => {
  const { app, asked } = opened();
  await app.removal.begin('p1', file);
  expect([app.removal.fileOf('p1'), app.removal.fileOf('other')]).toEqual([file, null]);
  expect(app.toasts.all.map(({ text }) => text)).toEqual(['“mail.csv” is being removed.']);
  await vi.advanceTimersByTimeAsync(9_900);
  expect(asked()).toEqual([]);
  await vi.advanceTimersByTimeAsync(200);
  expect(asked()).toEqual(['remove_file']);
  expect([app.project?.files, app.removal.fileOf('p1'), app.toasts.all]).toEqual([[], null, []]);
});

it('a file stays when it is told to', async () => {
  const { app, asked } = opened();
  await app.removal.begin('p1', file);
  app.toasts.all[0]!.action!.run();
  await vi.advanceTimersByTimeAsync(20_000);
  expect([asked(), app.removal.fileOf('p1'), app.toasts.all]).toEqual([[], null, []]);
});

it('what reads all data waits for the removal; looking at rows and checking them does not end it', async () => {
  const { app, asked } = opened();
  await app.removal.begin('p1', file);
  await app.call({ request: 'rows', project: 'p1', file, offset: 0, limit: 1, search: '', filter: 'all' });
  await app.call({ request: 'check_data', project: 'p1' });
  expect(asked()).toEqual(['rows', 'check_data']);
  await app.call({ request: 'add_text', project: 'p1', text: 'a' });
  expect(asked()).toEqual(['rows', 'check_data', 'remove_file', 'add_text']);
});

it('another file lets the first one go', async () => {
  const { app, asked } = opened();
  await app.removal.begin('p1', file);
  await app.removal.begin('p1', 'more.csv');
  expect([asked(), app.removal.fileOf('p1')]).toEqual([['remove_file'], 'more.csv']);
});

it('a file that cannot be removed is there again, with the reason', async () => {
  const { app } = opened({ remove_file: () => { throw { code: 'project.busy', message: 'busy', params: {} }; } });
  await app.removal.begin('p1', file);
  await app.removal.finish();
  expect([app.removal.fileOf('p1'), app.project?.files.length]).toEqual([null, 1]);
  expect(app.toasts.all.map(({ kind }) => kind)).toEqual(['fault']);
});
