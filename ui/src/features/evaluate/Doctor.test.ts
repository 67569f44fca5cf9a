import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';

import type { Examined } from '../../contract/Examined';
import type { Fault } from '../../contract/Fault';
import { speak } from '../../messages/messages.svelte';
import { fakePlatform, type Answers } from '../../platform/fake';
import { fakeBrowser } from '../../platform/fake-browser';
import { anExamined } from '../../platform/fake-data';
import { replyTo, RpcError, type Platform } from '../../platform/platform';
import { AppState, appContext } from '../../state/app.svelte';
import Doctor from './Doctor.svelte';

const about = { project: 'p1', run: 'r1' };

function show(known: Examined | null, answers: Answers = {}) {
  const platform = fakePlatform({ reward_examined: () => ({ examined: known }), ...answers });
  const app = new AppState(platform);
  render(Doctor, { props: about, context: appContext(app) });
  return { platform, app };
}

/** Shows a reward model whose examination ends when the test says so. */
function showSlow(known: Examined | null) {
  let end: (result: Examined | Fault) => void = () => {};
  const platform = fakePlatform({
    reward_examined: () => ({ examined: known }),
    stop_examine_reward: () => end({ code: 'app.stopped', message: 'Stopped.', params: {} }),
  });
  const call: Platform['call'] = async (request) => {
    if (request.request !== 'examine_reward') return platform.call(request);
    const result = await new Promise<Examined | Fault>((resolve) => (end = resolve));
    if ('code' in result) throw new RpcError(result);
    return replyTo(request, { reply: 'examine_reward', examined: result });
  };
  const app = new AppState({ ...platform, call });
  render(Doctor, { props: about, context: appContext(app) });
  return { platform, end: (result: Examined | Fault) => end(result) };
}

describe('the doctor of a reward model', () => {
  beforeEach(() => {
    fakeBrowser();
    speak('en');
  });

  it('says what to make of it, then what that rests on', async () => {
    show(anExamined());
    expect(await screen.findByText('It has learnt more than length.')).toBeTruthy();
    const figures = screen.getByRole('img', { name: /^This reward model: 82% \(71–90%\); Always the longer answer: 55%/ });
    expect(figures.querySelectorAll('circle')).toHaveLength(3);
    expect(screen.getByText('More votes help.')).toBeTruthy();
    expect(screen.getByRole('img', { name: /60% after 120 pairs, 78% after 480 pairs/ })).toBeTruthy();
    expect(screen.getByText('It leans towards longer answers.')).toBeTruthy();
    const row = screen.getByRole('rowheader', { name: '95%' }).closest('tr')!;
    expect(within(row).getByText('90%')).toBeTruthy();
    const wrong = screen.getByText('Where is my parcel?').closest('li')!;
    expect(wrong.textContent).toContain('score −0.40');
    expect(wrong.textContent).toContain('score +1.25');
  });

  it('speaks Chinese', async () => {
    speak('zh');
    show(anExamined());
    expect(await screen.findByText('它学到的不只是长短。')).toBeTruthy();
    expect(screen.getByText('更多投票有用。')).toBeTruthy();
  });

  it('shows nothing where there is nothing to show', async () => {
    const none = { value: 0, low: 0, high: 1, of: 0 };
    show(anExamined({ longer_wins: none, learning_curve: [], calibration: [], disagreements: [] }));
    expect(await screen.findByText('no such pairs')).toBeTruthy();
    expect(screen.getAllByRole('img')).toHaveLength(1);
    expect(screen.queryByRole('table')).toBeNull();
    expect(screen.getByText(/no held-out pair on which it prefers the other answer/)).toBeTruthy();
  });

  it('examines when asked to', async () => {
    const { platform } = show(null, { examine_reward: () => ({ examined: anExamined() }) });
    await fireEvent.click(await screen.findByRole('button', { name: 'Examine' }));
    expect(await screen.findByText('It has learnt more than length.')).toBeTruthy();
    expect(platform.asked).toEqual([
      { request: 'reward_examined', ...about },
      { request: 'examine_reward', ...about },
    ]);
  });

  it('keeps showing what was found before while it examines again', async () => {
    const { end } = showSlow(anExamined());
    await fireEvent.click(await screen.findByRole('button', { name: 'Examine again' }));
    expect(screen.getByRole('progressbar')).toBeTruthy();
    expect(screen.getByText('It has learnt more than length.')).toBeTruthy();
    end(anExamined({ advice: { en: 'Now it guesses.', zh: '' } }));
    expect(await screen.findByText('Now it guesses.')).toBeTruthy();
    expect(screen.queryByRole('progressbar')).toBeNull();
  });

  it('stops without complaint', async () => {
    const { platform } = showSlow(null);
    await fireEvent.click(await screen.findByRole('button', { name: 'Examine' }));
    await fireEvent.click(screen.getByRole('button', { name: 'Stop' }));
    expect(await screen.findByRole('button', { name: 'Examine' })).toBeTruthy();
    expect(platform.asked).toContainEqual({ request: 'stop_examine_reward', ...about });
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('tells what went wrong, and tries again', async () => {
    let isRefused = true;
    show(null, {
      examine_reward: () => {
        if (isRefused) throw { code: 'worker.no_held_out', message: 'r1 has no held-out pairs', params: {} };
        return { examined: anExamined() };
      },
    });
    await fireEvent.click(await screen.findByRole('button', { name: 'Examine' }));
    expect((await screen.findByRole('alert')).textContent).toContain('no held-out pairs');
    isRefused = false;
    await fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('It has learnt more than length.')).toBeTruthy();
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('offers to examine again when what was kept cannot be read', async () => {
    show(null, {
      reward_examined: () => {
        throw { code: 'project.bad_json', message: 'doctor.json cannot be read', params: {} };
      },
      examine_reward: () => ({ examined: anExamined() }),
    });
    expect(await screen.findByRole('alert')).toBeTruthy();
    await fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('It has learnt more than length.')).toBeTruthy();
    expect(screen.queryByRole('alert')).toBeNull();
  });
});
