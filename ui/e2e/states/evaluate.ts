import { expect } from '@playwright/test';

import { amend, hold, refuse } from '../wire';
import { fails, says, waits, type State } from './acts';

export const evaluate: State[] = [
  {
    name: 'evaluate-blocked',
    async open(page, world) {
      await world.open(page, 'ready', 'evaluate');
      await says(page, world, 'frame_needs_title');
    },
  },
  {
    name: 'evaluate-loading',
    async open(page, world) {
      await hold(page, 'verdict');
      await world.open(page, 'judged', 'evaluate');
      await waits(page, world);
    },
  },
  {
    name: 'evaluate-error',
    async open(page, world) {
      await refuse(page, 'verdict', { code: 'project.bad_json', message: 'verdict.json cannot be read', params: {} });
      await world.open(page, 'judged', 'evaluate');
      await fails(page);
    },
  },
  {
    name: 'evaluate-judging',
    async open(page, world) {
      await amend(page, 'project', ({ project }) => {
        for (const run of project.runs) Object.assign(run, { state: 'judging', outcome: null });
      });
      await world.open(page, 'judged', 'evaluate');
      await expect(page.getByRole('progressbar')).toBeVisible();
    },
  },
  {
    name: 'evaluate-labels',
    async open(page, world) {
      await world.open(page, 'judged', 'evaluate');
      await says(page, world, 'evaluate_comparisons');
    },
  },
  {
    name: 'evaluate-answers',
    async open(page, world) {
      await world.open(page, 'replies', 'evaluate');
      await says(page, world, 'evaluate_comparisons');
    },
  },
];
