import { amend, hold, refuse } from '../wire';
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
];
