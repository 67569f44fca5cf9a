import { expect, it } from 'vitest';

import type { RunSummary } from '../../contract/RunSummary';
import { fakePlatform } from '../../platform/fake';
import { AppState } from '../../state/app.svelte';
import { RunControls } from './controls.svelte';

const run = (state: RunSummary['state']) => ({ id: 'run-1', state }) as RunSummary;

it('a wish is under way until the run moves', async () => {
  const controls = new RunControls(new AppState(fakePlatform({ stop_run: () => {} })));
  await controls.ask('stop_run', 'p', run('training'));
  expect(controls.isUnderWay(run('training'), 'stop_run')).toBe(true);
  expect(controls.isUnderWay(run('training'), 'finish_run')).toBe(false);
  expect(controls.isUnderWay(run('stopped'), 'stop_run')).toBe(false);
});

it('a refused wish says why and can be made again', async () => {
  const refuse = () => {
    throw { code: 'project.locked', message: 'No.', params: {} };
  };
  const controls = new RunControls(new AppState(fakePlatform({ resume_run: refuse })));
  await controls.ask('resume_run', 'p', run('failed'));
  expect(controls.error).toMatchObject({ fault: { code: 'project.locked' } });
  expect(controls.isUnderWay(run('failed'), 'resume_run')).toBe(false);
});
