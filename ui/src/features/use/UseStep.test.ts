import { fireEvent, render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Exported } from '../../contract/Exported';
import type { Request } from '../../contract/Request';
import { speak } from '../../messages/messages.svelte';
import type { Platform } from '../../platform';
import { fakePlatform, type Answers } from '../../platform/fake';
import { fakeBrowser } from '../../platform/fake-browser';
import { aFile, aModel, aProject, aRun } from '../../platform/fake-data';
import { AppState, appContext } from '../../state/app.svelte';
import UseStep from './UseStep.svelte';

type Chat = Extract<Request, { request: 'chat' }>;
const run = aRun({ state: 'stopped', best_loss: 0.4, epochs: [1] });
const exported: Exported = {
  folder: '/out/gguf',
  files: ['model.gguf'],
  bytes: 1e8,
  max_logit_difference: 0.0142,
  tolerance: 0.31,
  notes: ['The base model has no beginning-of-sequence token.'],
};
const target = {
  name: 'gguf',
  title: { en: 'One file (GGUF)' },
  help: { en: 'For llama.cpp.' },
  options: [{ name: 'temperature', kind: { kind: 'number' as const, low: 0, high: 5 }, help: { en: 'How freely.' } }],
  holds_scores: false,
};
const serving = { project: 'p1', run: 'r1', address: 'http://127.0.0.1:8710/v1', key: 'sk-1', model: 'mail' };

function show(answers: Answers = {}, parts: Partial<Platform> = {}, runs = [run]) {
  const platform = fakePlatform(
    { chat: () => {}, stop_chat: () => {}, targets: () => ({ targets: [target] }), ...answers },
    parts,
  );
  const app = new AppState(platform);
  render(UseStep, { props: { project: aProject({ runs, files: [aFile()] }) }, context: appContext(app) });
  return platform;
}

const open = (name: string) => fireEvent.click(screen.getByRole('radio', { name }));

describe('use', () => {
  beforeEach(() => {
    fakeBrowser();
    speak('en');
  });

  it('puts one question to both and shows their words as they come', async () => {
    const platform = show();
    const field = screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Your message' });
    await fireEvent.input(field, { target: { value: 'What a day' } });
    await fireEvent.keyDown(field, { key: 'Enter' });
    const chats = platform.asked.filter((request): request is Chat => request.request === 'chat');
    expect(chats.map((chat) => chat.model)).toEqual([{ kind: 'base' }, { kind: 'run', run: 'r1', epoch: null }]);
    expect(field.value).toBe('');
    platform.tell({ event: 'chat_piece', chat: chats[1]!.chat, text: 'happy' });
    expect(await screen.findByText('happy')).toBeTruthy();
    platform.tell({ event: 'chat_ended', chat: chats[1]!.chat, tokens: 10, seconds: 0.5, fault: null });
    expect(await screen.findByText('10 tokens · 20.0 tokens/s')).toBeTruthy();
    await fireEvent.click(screen.getByRole('button', { name: 'Stop' }));
    expect(platform.asked.at(-1)).toEqual({ request: 'stop_chat', chat: chats[0]!.chat });
  });

  it('does not send while Chinese is being composed', async () => {
    const platform = show();
    const field = screen.getByRole('textbox', { name: 'Your message' });
    await fireEvent.input(field, { target: { value: 'nihao' } });
    await fireEvent.keyDown(field, { key: 'Enter', isComposing: true });
    expect(platform.asked).toEqual([]);
  });

  it('exports into the folder that was chosen, and tells how close it is', async () => {
    const platform = show({ export: () => ({ exported }) }, { pickFolder: async () => '/out/gguf' });
    await open('Export');
    await fireEvent.click(await screen.findByText('Choose a folder'));
    expect(await screen.findByText('/out/gguf')).toBeTruthy();
    await fireEvent.click(screen.getByRole('button', { name: 'Export: One file (GGUF)' }));
    expect(platform.asked.at(-1)).toMatchObject({
      request: 'export',
      target: 'gguf',
      options: {},
      folder: '/out/gguf',
    });
    expect(await screen.findByText('Exported: 1 file, 100 MB')).toBeTruthy();
    expect(screen.getByText(/0\.014, where 0\.31 is allowed/)).toBeTruthy();
    expect(screen.getByText(exported.notes[0]!).lang).toBe('en');
  });

  it('lets the next run begin from the merged model', async () => {
    const merged = { ...target, name: 'hf', title: { en: 'Merged model' } };
    const platform = show({
      targets: () => ({ targets: [merged] }),
      export: () => ({ exported: { ...exported, folder: '/out/hf' } }),
      add_model: () => ({ model: aModel({ id: '/out/hf', name: 'Mail' }) }),
      choose_base: () => ({ project: aProject() }),
    });
    await open('Export');
    await fireEvent.click(await screen.findByRole('button', { name: 'Export: Merged model' }));
    await fireEvent.click(await screen.findByRole('button', { name: 'Build on this model' }));
    await vi.waitFor(() =>
      expect(platform.asked.slice(-2)).toEqual([
        { request: 'add_model', path: '/out/hf' },
        { request: 'choose_base', project: 'p1', model: '/out/hf' },
      ]),
    );
  });

  it('offers a reward model to nobody who wants to talk', async () => {
    const holds = { ...target, name: 'hf', title: { en: 'Whole model' }, holds_scores: true };
    const rewards = aRun({ id: 'r2', recipe: 'reward_model', state: 'judged' });
    show({ targets: () => ({ targets: [holds, target] }), export: () => ({ exported }) }, {}, [rewards]);
    expect(await screen.findByText('This run made a reward model')).toBeTruthy();
    await fireEvent.click(await screen.findByRole('button', { name: 'Export: Whole model' }));
    expect(await screen.findByText('Exported: 1 file, 100 MB')).toBeTruthy();
    for (const name of ['Export: One file (GGUF)', 'Build on this model'])
      expect(screen.queryByRole('button', { name })).toBeNull();
    expect(screen.queryByRole('textbox', { name: 'Your message' })).toBeNull();
    expect(screen.getByText('Score the answers of a file')).toBeTruthy();
  });

  it('lets another run than the reward model talk first', () => {
    show({}, {}, [aRun({ id: 'r2', recipe: 'reward_model', state: 'judged' }), run]);
    expect(screen.getByRole('textbox', { name: 'Your message' })).toBeTruthy();
  });

  it('starts and stops the server, with what other programs need', async () => {
    const platform = show({
      serving: () => ({ serving: null }),
      start_serving: () => ({ serving }),
      stop_serving: () => {},
    });
    await open('Serve');
    await fireEvent.click(await screen.findByRole('button', { name: 'Start the server' }));
    expect(await screen.findByText('sk-1')).toBeTruthy();
    expect(screen.getByRole('button', { name: 'Copy key' })).toBeTruthy();
    expect(screen.getByText(/from openai import OpenAI/)).toBeTruthy();
    await fireEvent.click(screen.getByRole('radio', { name: 'Terminal' }));
    expect(screen.getByText(/^curl/)).toBeTruthy();
    await fireEvent.click(screen.getByRole('button', { name: 'Stop the server' }));
    expect(await screen.findByRole('button', { name: 'Start the server' })).toBeTruthy();
    expect(platform.asked.at(-1)).toEqual({ request: 'stop_serving' });
  });

  it('says whose model is served when it is another', async () => {
    const platform = show({
      serving: () => ({ serving: { ...serving, run: 'r9' } }),
      stop_serving: () => {},
      start_serving: () => ({ serving }),
    });
    await open('Serve');
    expect(await screen.findByText('The server runs with the model of another run.')).toBeTruthy();
    await fireEvent.click(screen.getByRole('button', { name: 'Serve this one instead' }));
    await expect
      .poll(() => platform.asked.map((request) => request.request).slice(-2))
      .toEqual(['stop_serving', 'start_serving']);
  });
});
