import type { Page } from '@playwright/test';

import { amend, hold, refuse } from '../wire';
import type { World } from '../world';
import { busy, crashed, fails, says, waits, type State } from './acts';

export const train: State[] = [
  {
    name: 'train-blocked',
    async open(page, world) {
      await world.open(page, 'empty', 'train');
      await says(page, world, 'frame_needs_title');
    },
  },
  {
    name: 'train-empty',
    async open(page, world) {
      await world.open(page, 'ready', 'train');
      await says(page, world, 'train_empty');
    },
  },
  {
    name: 'train-loading',
    async open(page, world) {
      await hold(page, 'run_metrics');
      await world.open(page, 'judged', 'train');
      await waits(page, world);
    },
  },
  {
    name: 'train-error',
    async open(page, world) {
      await refuse(page, 'run_metrics', busy);
      await world.open(page, 'judged', 'train');
      await fails(page);
    },
  },
  {
    name: 'train-training',
    async open(page, world) {
      const { id } = await world.start('trained', { num_train_epochs: 1000, early_stopping_patience: 0 });
      await world.until('trained', id, ['training'], 60);
      await world.open(page, 'trained', 'train');
      await says(page, world, 'train_speed');
    },
    async close(world) {
      const project = world.id('trained');
      for (const { id: run, state } of (await world.project('trained')).runs) {
        if (state === 'training') await world.server.call({ request: 'stop_run', project, run });
        await world.until('trained', run, ['stopped']);
        await world.server.call({ request: 'delete_run', project, run });
      }
    },
  },
  {
    name: 'train-stopped',
    async open(page, world) {
      await world.open(page, 'stopped', 'train');
      await says(page, world, 'train_loss');
    },
  },
  {
    name: 'train-failed',
    async open(page, world) {
      await amend(page, 'project', ({ project }) => {
        for (const run of project.runs) Object.assign(run, { state: 'failed', fault: crashed });
      });
      await world.open(page, 'stopped', 'train');
      await fails(page);
    },
  },
  {
    name: 'train-judging',
    async open(page, world) {
      await amend(page, 'project', ({ project }) => {
        for (const run of project.runs.slice(0, 1)) Object.assign(run, { state: 'judging', outcome: null });
      });
      await world.open(page, 'judged', 'train');
      await says(page, world, 'train_state_judging');
    },
  },
  {
    name: 'train-judged',
    async open(page, world) {
      await world.open(page, 'judged', 'train');
      await says(page, world, 'train_loss');
      await page.getByRole('checkbox').last().check();
    },
  },
  {
    name: 'train-queue',
    async open(page, world) {
      await amend(page, 'project', ({ project }) => {
        project.runs.forEach((run, at) => Object.assign(run, { state: at === 0 ? 'waiting' : 'training', outcome: null, best_loss: null }));
      });
      await world.open(page, 'judged', 'train');
      await says(page, world, 'train_queue');
      await says(page, world, 'train_load_cpu');
    },
  },
  {
    name: 'train-rewarded',
    async open(page, world) {
      await withRewards(page, world, false);
      await says(page, world, 'train_samples');
      await page.getByRole('heading', { name: world.say('train_samples') }).evaluate((title) => title.scrollIntoView({ block: 'start' }));
    },
  },
  {
    name: 'train-over-optimised',
    async open(page, world) {
      await withRewards(page, world, true);
      await says(page, world, 'train_over_title');
    },
  },
];

/** Lets a run have learnt from a reward, with what it answered meanwhile. */
async function withRewards(page: Page, world: World, isOver: boolean): Promise<void> {
  const question = world.language === 'en' ? 'Where is my parcel?' : '我的包裹到哪儿了？';
  const answers = {
    en: ['Parcel parcel parcel.', 'It is on its way.', 'It left our warehouse yesterday and should be with you by Friday.', 'Friday.'],
    zh: ['包裹包裹包裹。', '已经在路上了。', '包裹昨天已经出库，预计周五送达。', '周五。'],
  }[world.language];
  await amend(page, 'run_metrics', ({ metrics }) => {
    metrics.steps.forEach((step, at) => {
      const share = at / Math.max(1, metrics.steps.length - 1);
      step.figures = {
        reward: 0.2 + 0.9 * share + 0.05 * Math.sin(at),
        reward_std: 0.3 - 0.2 * share,
        kl: 0.02 * at,
        'completions/mean_length': 40 + at,
        frac_reward_zero_std: 0.1,
        'rewards/1/contains': 0.9,
        'rewards/2/length': 0.5,
        'rewards/3/reward_model': 0.1,
      };
    });
    metrics.events = answers.map((answer, at) => ({
      event: 'sample',
      step: 5 * (at + 1),
      prompt: question,
      answer,
      reward: 0.2 + 0.3 * at,
      parts: [0.2 + 0.25 * at, at % 2, 0.1],
    }));
    if (isOver) {
      metrics.events.push({ event: 'over_optimised', step: 20, best_step: 15, guard: 'similarity', reward_gain: 0.42, guard_loss: 0.11 });
    }
  });
  await world.open(page, 'replies', 'train');
}
