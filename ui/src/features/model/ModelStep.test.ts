import { render, screen, within } from '@testing-library/svelte';
import { beforeEach, expect, it, vi } from 'vitest';

import type { ModelEntry } from '../../contract/ModelEntry';
import { speak } from '../../messages/messages.svelte';
import { fakePlatform } from '../../platform/fake';
import { aBase, aModel, aProject, aRun } from '../../platform/fake-data';
import { AppState, appContext } from '../../state/app.svelte';
import ModelStep from './ModelStep.svelte';

const far = aModel({ id: 'far/model', name: 'Far', source: 'catalogue', installed: false, bytes: 2e9, fits: { run: true, lora: true, full: false } });

async function step(models: ModelEntry[], answers: Parameters<typeof fakePlatform>[0] = {}, project = aProject()) {
  const platform = fakePlatform({ models: () => ({ models }), choose_base: () => ({ project }), ...answers });
  const app = new AppState(platform);
  const stop = app.start();
  render(ModelStep, { props: { project }, context: appContext(app) });
  await screen.findAllByRole('listitem');
  return { app, platform, stop };
}

const cards = () => screen.getAllByRole('heading', { level: 2 }).map((heading) => heading.textContent?.trim().split(' ')[0]);

beforeEach(() => {
  speak('en');
  location.hash = '#/project/p1/model';
});

it('a model that is there is chosen', async () => {
  const { platform } = await step([far, aModel()]);
  expect(cards()).toEqual(['Starter', 'Far']);
  screen.getByRole('button', { name: 'Choose Starter' }).click();
  await vi.waitFor(() => expect(platform.asked).toContainEqual({ request: 'choose_base', project: 'p1', model: 'starter' }));
});

it('another base model for a project with runs is asked about first', async () => {
  const project = aProject({ base: aBase('other'), runs: [aRun({ state: 'judged' })] });
  const { platform } = await step([aModel()], {}, project);
  screen.getByRole('button', { name: 'Choose Starter' }).click();
  const dialog = await screen.findByRole('dialog');
  expect(dialog.textContent).toContain('Your runs stay as they are');
  expect(platform.asked.some(({ request }) => request === 'choose_base')).toBe(false);
  within(dialog).getByRole('button', { name: 'Change' }).click();
  await vi.waitFor(() => expect(platform.asked.some(({ request }) => request === 'choose_base')).toBe(true));
});

it('fetching shows how far it is, pauses, and says what went wrong', async () => {
  const { platform } = await step([far], { download_model: () => {}, pause_download: () => {} });
  screen.getByRole('button', { name: /^Download .+: Far$/ }).click();
  await vi.waitFor(() => expect(platform.asked).toContainEqual({ request: 'download_model', model: 'far/model' }));
  const download = { model: 'far/model', bytes: 5e8, total: 2e9, eta_seconds: 90, active: true, fault: null };
  platform.tell({ event: 'download', download });
  expect((await screen.findByRole('progressbar')).getAttribute('aria-valuenow')).toBe('25');
  expect(screen.getByText('500 MB of 2 GB · 1 min 30 sec left')).toBeTruthy();
  screen.getByRole('button', { name: 'Pause' }).click();
  expect(platform.asked).toContainEqual({ request: 'pause_download', model: 'far/model' });
  const fault = { code: 'hub.network', message: 'No.', params: { url: 'https://hub' } };
  platform.tell({ event: 'download', download: { ...download, active: false, fault } });
  expect((await screen.findByRole('alert')).textContent).toContain('https://hub could not be fetched');
  expect(screen.getByRole('button', { name: 'Try again' })).toBeTruthy();
});

it('what is refused is said at the model', async () => {
  const refused = { code: 'app.model_missing', message: 'No.', params: { model: 'starter' } };
  await step([aModel()], { choose_base: () => { throw refused; } });
  screen.getByRole('button', { name: 'Choose Starter' }).click();
  expect((await screen.findByRole('alert')).textContent).toContain('is not on this computer');
});

it('many models are looked through', async () => {
  await step([far, aModel(), aModel({ id: 'b', name: 'Bee' }), aModel({ id: 'c', name: 'Cee' }), aModel({ id: 'd', name: 'Dee' })]);
  const search = screen.getByRole<HTMLInputElement>('searchbox');
  search.value = 'ee';
  search.dispatchEvent(new Event('input', { bubbles: true }));
  await vi.waitFor(() => expect(cards()).toEqual(['Bee', 'Cee', 'Dee']));
  screen.getByRole('radio', { name: 'On this computer' }).click();
  search.value = 'nothing of this name';
  search.dispatchEvent(new Event('input', { bubbles: true }));
  (await screen.findByRole('button', { name: 'Show all' })).click();
  await vi.waitFor(() => expect(cards()).toHaveLength(5));
});

it('a model is taken off this computer once one is sure', async () => {
  const { platform } = await step([far, aModel()], { remove_model: () => {} });
  expect(screen.queryByRole('button', { name: 'Remove Far' })).toBeNull();
  screen.getByRole('button', { name: 'Remove Starter' }).click();
  const dialog = await screen.findByRole('dialog');
  expect(dialog.textContent).toContain('frees 98 MB');
  expect(platform.asked.some(({ request }) => request === 'remove_model')).toBe(false);
  within(dialog).getByRole('button', { name: 'Remove' }).click();
  await vi.waitFor(() => expect(platform.asked).toContainEqual({ request: 'remove_model', model: 'starter' }));
  await vi.waitFor(() => expect(platform.asked.filter(({ request }) => request === 'models')).toHaveLength(2));
});

it('models are fetched from another address, and from the hub again', async () => {
  let mirror: string | null = null;
  const { platform } = await step([aModel()], {
    settings: () => ({ settings: { hub_mirror: mirror, has_hub_token: false } }),
    set_hub_mirror(request) {
      mirror = request.mirror;
    },
  });
  screen.getByRole('button', { name: 'Download settings' }).click();
  const field = await screen.findByLabelText<HTMLInputElement>('Address that models are fetched from');
  const use = screen.getByRole<HTMLButtonElement>('button', { name: 'Use this address' });
  expect(use.disabled).toBe(true);
  expect(screen.queryByRole('button', { name: 'Remove the token' })).toBeNull();
  field.value = ' https://mirror.example ';
  field.dispatchEvent(new Event('input', { bubbles: true }));
  await vi.waitFor(() => expect(use.disabled).toBe(false));
  use.click();
  await vi.waitFor(() => expect(platform.asked).toContainEqual({ request: 'set_hub_mirror', mirror: 'https://mirror.example' }));
  (await screen.findByRole('button', { name: 'Back to Hugging Face' })).click();
  await vi.waitFor(() => expect(platform.asked).toContainEqual({ request: 'set_hub_mirror', mirror: null }));
});
