import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { beforeEach, expect, it } from 'vitest';

import { speak } from '../messages/messages.svelte';
import { fakePlatform, type Answers } from '../platform/fake';
import { fakeBrowser } from '../platform/fake-browser';
import { AppState, appContext } from '../state/app.svelte';
import CloseDialog from './CloseDialog.svelte';

function show(answers: Answers = { close: () => {} }) {
  const platform = fakePlatform(answers);
  render(CloseDialog, { context: appContext(new AppState(platform)) });
  expect(screen.queryByRole('dialog')).toBeNull();
  platform.tell({ event: 'close_asked' });
  return platform;
}

beforeEach(() => {
  fakeBrowser();
  speak('en');
});

it('asks what becomes of the run when the window is to be closed', async () => {
  const platform = show();
  await fireEvent.click(await screen.findByRole('button', { name: 'Keep running and close' }));
  expect(platform.asked).toEqual([{ request: 'close', keep_running: true }]);
});

it('pauses the run when that is wished for', async () => {
  const platform = show();
  await fireEvent.click(await screen.findByRole('button', { name: 'Pause and close' }));
  expect(platform.asked).toEqual([{ request: 'close', keep_running: false }]);
});

it('does nothing when one changes one’s mind', async () => {
  const platform = show();
  await fireEvent.click(await screen.findByRole('button', { name: 'Cancel' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(platform.asked).toEqual([]);
});

it('stays and says why when the window cannot be closed', async () => {
  show({
    close() {
      throw { code: 'project.busy', message: 'busy', params: {} };
    },
  });
  await fireEvent.click(await screen.findByRole('button', { name: 'Pause and close' }));
  expect(await screen.findByRole('alert')).toBeTruthy();
  expect(screen.getByRole('dialog')).toBeTruthy();
});
