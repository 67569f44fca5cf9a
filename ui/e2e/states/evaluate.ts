import { expect, type Page } from '@playwright/test';

import { anExamined } from '../../src/platform/fake-data';
import { amend, hold, refuse } from '../wire';
import type { World } from '../world';
import { asIfOfRewardModels, fails, press, says, waits, type State } from './acts';
import { withVotes } from './votes';

async function openRewardModel(page: Page, world: World): Promise<void> {
  await asIfOfRewardModels(page);
  await world.open(page, 'judged', 'evaluate');
  await says(page, world, 'doctor_title');
}

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
  {
    name: 'evaluate-questions',
    async open(page, world) {
      await world.open(page, 'questions', 'evaluate');
      await page.getByRole('heading', { name: world.say('evaluate_side_by_side') }).evaluate((title) => title.scrollIntoView({ block: 'start' }));
    },
  },
  {
    name: 'evaluate-doctor-empty',
    async open(page, world) {
      await openRewardModel(page, world);
      await says(page, world, 'doctor_empty');
    },
  },
  {
    name: 'evaluate-doctor-examining',
    async open(page, world) {
      await hold(page, 'examine_reward');
      await openRewardModel(page, world);
      await press(page, world, 'doctor_begin');
      await expect(page.getByRole('progressbar')).toBeVisible();
    },
  },
  {
    name: 'evaluate-doctor-error',
    async open(page, world) {
      // The server itself refuses: the run is none of a reward model.
      await openRewardModel(page, world);
      await press(page, world, 'doctor_begin');
      await fails(page);
    },
  },
  {
    name: 'evaluate-doctor',
    async open(page, world) {
      await amend(page, 'reward_examined', (reply) => {
        reply.examined = anExamined();
      });
      await openRewardModel(page, world);
      await says(page, world, 'doctor_agreement');
    },
  },
  {
    name: 'evaluate-blind',
    async open(page, world) {
      const [run] = (await world.project('replies')).runs;
      await withVotes(page, world, 43, 6, run?.id ?? null);
      await world.open(page, 'replies', 'evaluate');
      await press(page, world, 'feedback_blind_go_on', { n: 8 });
      await page.getByRole('heading', { name: world.say('feedback_blind') }).evaluate((title) => title.scrollIntoView({ block: 'start' }));
    },
  },
];
