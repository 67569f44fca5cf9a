import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { RunEvent } from '../../contract/RunEvent';
import type { RunSummary } from '../../contract/RunSummary';
import type { StepMetrics } from '../../contract/StepMetrics';
import { speak } from '../../messages/messages.svelte';
import { fakePlatform, type Answers } from '../../platform/fake';
import { fakeBrowser } from '../../platform/fake-browser';
import { aProject, aRun } from '../../platform/fake-data';
import { AppState, appContext } from '../../state/app.svelte';
import TrainStep from './TrainStep.svelte';

// It draws on a canvas, which jsdom has not.
vi.mock('uplot', () => ({
  default: class {
    setData() {}
    setScale() {}
    setSize() {}
    redraw() {}
    destroy() {}
  },
}));

function step(step: number, parts: Partial<StepMetrics> = {}): StepMetrics {
  return {
    step,
    steps: 10,
    epoch: step / 5,
    loss: 3 / step,
    learning_rate: 0.001,
    grad_norm: 0.5,
    trained_tokens: 10,
    tokens: 100,
    tokens_per_second: 812,
    memory: 2.31e9,
    eta_seconds: 252,
    ...parts,
  };
}

function show(runs: RunSummary[], answers: Answers = {}) {
  const platform = fakePlatform({
    run_metrics: () => ({ metrics: { steps: [step(1), step(2, { validation_loss: 1.8 })], events: [] } }),
    machine_load: () => ({ load: { cpu: 0.42, memory_used: 6e9, memory_total: 16e9 } }),
    ...answers,
  });
  location.hash = '#/project/p1/train';
  const app = new AppState(platform);
  const shown = render(TrainStep, { props: { project: aProject({ runs }) }, context: appContext(app) });
  return { platform, change: (changed: RunSummary[]) => shown.rerender({ project: aProject({ runs: changed }) }) };
}

const tell = (platform: ReturnType<typeof fakePlatform>, happened: object) =>
  platform.tell({ event: 'training', project: 'p1', run: 'r1', happened: happened as never });

describe('train', () => {
  beforeEach(() => {
    fakeBrowser();
    speak('en');
  });

  it('says what belongs here when there is no run', () => {
    show([]);
    expect(screen.getByRole('heading', { name: 'No run yet' })).toBeTruthy();
  });

  it('follows a run by what is told, without asking again', async () => {
    const { platform } = show([aRun({ step: 2 })]);
    expect(await screen.findByText('step 2 of 10 · 4 min 12 sec left')).toBeTruthy();
    tell(platform, { event: 'step', ...step(3) });
    expect(await screen.findByText('step 3 of 10 · 4 min 12 sec left')).toBeTruthy();
    expect(screen.getByText('812/s')).toBeTruthy();
    expect(screen.getByText('1.800')).toBeTruthy();
    tell(platform, { event: 'early_stop', step: 3, best_step: 2 });
    expect(await screen.findByText('Stopped improving: ended at step 3, step 2 is kept')).toBeTruthy();
    expect(platform.asked.filter(({ request }) => request === 'run_metrics')).toHaveLength(1);
    expect(screen.getByText('6 GB of 16 GB')).toBeTruthy();
  });

  it('pauses, and waits until the run has', async () => {
    const { platform, change } = show([aRun({ step: 2 })], { stop_run: () => {} });
    await fireEvent.click(await screen.findByRole('button', { name: 'Pause' }));
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Pausing …' }).disabled).toBe(true);
    expect(platform.asked).toContainEqual({ request: 'stop_run', project: 'p1', run: 'r1' });
    await change([aRun({ step: 2, state: 'stopped' })]);
    expect(screen.getByRole('button', { name: 'Continue from step 2' })).toBeTruthy();
  });

  it('shows again after a reload what the run remembers', async () => {
    const sample: RunEvent = { event: 'sample', step: 20, prompt: 'Where is it?', answer: 'On its way.', reward: 0.91, parts: [1, 0.5] };
    const over: RunEvent = { event: 'over_optimised', step: 30, best_step: 20, guard: 'similarity', reward_gain: 0.12, guard_loss: 0.21 };
    const figures = (reward: number) => ({ reward, reward_std: 0.1, frac_reward_zero_std: 0.95 });
    const { platform } = show([aRun({ state: 'judged' })], {
      run_metrics: () => ({
        metrics: { steps: [step(1, { figures: figures(0.2) }), step(2, { figures: figures(0.8) })], events: [sample, over] },
      }),
    });
    expect(await screen.findByText('On its way.')).toBeTruthy();
    expect(screen.getByText('Where is it?')).toBeTruthy();
    expect(screen.getByRole('alert').textContent).toMatch(/The reward rose by 0\.12 while closeness to your answers fell by 0\.21\..*step 20/);
    expect(screen.getByText(/For 95.0% of the last questions/)).toBeTruthy();
    expect(screen.getByRole('img', { name: /^Reward of its answers: from 0\.20/ })).toBeTruthy();
    tell(platform, { ...sample, step: 40, answer: 'It is here.' });
    expect(await screen.findByText('It is here.')).toBeTruthy();
    expect(platform.asked.some(({ request }) => request === 'machine_load')).toBe(false);
  });

  it('asks before it keeps the best so far', async () => {
    const { platform } = show([aRun({ step: 2 })], { finish_run: () => {} });
    await fireEvent.click(await screen.findByRole('button', { name: 'Stop here, keep the best so far' }));
    expect(platform.asked.some((request) => request.request === 'finish_run')).toBe(false);
    await fireEvent.click(await screen.findByRole('button', { name: 'Stop and judge' }));
    expect(platform.asked).toContainEqual({ request: 'finish_run', project: 'p1', run: 'r1' });
  });

  it('tells in a plain sentence why a run broke off, and goes on from its checkpoint', async () => {
    const fault = {
      code: 'worker.crashed',
      message: 'the worker process ended unexpectedly',
      params: { how: 'signal 9' },
    };
    const { platform } = show([aRun({ state: 'failed', step: 213, fault })], { resume_run: () => {} });
    tell(platform, { event: 'checkpoint', step: 200 });
    expect(await screen.findByText(/^The process that computes ended unexpectedly\./)).toBeTruthy();
    await fireEvent.click(await screen.findByRole('button', { name: 'Continue from step 200' }));
    expect(platform.asked).toContainEqual({ request: 'resume_run', project: 'p1', run: 'r1' });
  });

  it('compares runs in one chart', async () => {
    show([
      aRun({ id: 'r2', state: 'judged', outcome: 'better', created: 2e12 }),
      aRun({ state: 'stopped', created: 1e12 }),
    ]);
    const [first, second] = await screen.findAllByRole<HTMLInputElement>('checkbox', { name: /Show in the chart/ });
    expect([first!.checked, first!.disabled, second!.checked]).toEqual([true, true, false]);
    await fireEvent.click(second!);
    await waitFor(() => expect(screen.getByText('Dashed: unseen rows')).toBeTruthy());
  });

  it('says when the steps cannot be had, and tries again', async () => {
    let broken = true;
    show([aRun({ state: 'stopped' })], {
      run_metrics: () => {
        if (broken) throw { code: 'x.y', message: 'The file is gone.', params: {} };
        return { metrics: { steps: [step(1)], events: [] } };
      },
    });
    expect(await screen.findByText('The file is gone.')).toBeTruthy();
    broken = false;
    await fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('heading', { name: 'How it learns' })).toBeTruthy();
  });

  it('shows what is under way, and lets what waits be taken out of the queue', async () => {
    const waiting = ['r3', 'r2'].map((id) => aRun({ id, state: 'waiting', step: 0 }));
    const { platform } = show([...waiting, aRun({ id: 'r1', state: 'training' })], { stop_run: () => {} });
    expect(await screen.findByRole('heading', { name: 'It is learning from your rows' })).toBeTruthy();
    const buttons = screen.getAllByRole('button', { name: /Take out of the queue/ });
    expect(buttons).toHaveLength(2);
    await fireEvent.click(buttons[0]!);
    await waitFor(() => expect(platform.asked).toContainEqual({ request: 'stop_run', project: 'p1', run: 'r2' }));
  });
});
