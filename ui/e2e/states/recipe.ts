import { expect } from '@playwright/test';

import { amend, answer, hold, refuse } from '../wire';
import { fails, noMemory, says, waits, type State } from './acts';

export const recipe: State[] = [
  {
    name: 'recipe-blocked',
    async open(page, world) {
      await world.open(page, 'empty', 'recipe');
      await says(page, world, 'frame_needs_title');
    },
  },
  {
    name: 'recipe-loading',
    async open(page, world) {
      await hold(page, 'recipes');
      await world.open(page, 'ready', 'recipe');
      await waits(page, world, 'recipe_loading');
    },
  },
  {
    name: 'recipe-planning',
    async open(page, world) {
      await hold(page, 'plan');
      await world.open(page, 'ready', 'recipe');
      await expect(page.getByRole('progressbar')).toBeVisible({ timeout: 60_000 });
    },
  },
  {
    name: 'recipe-refused',
    async open(page, world) {
      await refuse(page, 'plan', noMemory);
      await world.open(page, 'ready', 'recipe');
      await fails(page);
    },
  },
  {
    name: 'recipe-planned',
    async open(page, world) {
      await world.open(page, 'ready', 'recipe');
      await says(page, world, 'recipe_trains');
    },
  },
  {
    name: 'recipe-settings',
    async open(page, world) {
      await world.open(page, 'stopped', 'recipe');
      await says(page, world, 'recipe_trains');
      await page.locator('summary').last().click();
      await says(page, world, 'recipe_reset_all');
      // What is below the settings' head is what is to be seen.
      await page.getByLabel(world.say('recipe_search')).evaluate((field) => field.scrollIntoView({ block: 'start' }));
    },
  },
  {
    name: 'recipe-pairs',
    async open(page, world) {
      await world.open(page, 'pairs', 'recipe');
      await says(page, world, 'recipe_treasure_reward');
      await expect(page.locator('[aria-busy=true], [role=progressbar]')).toHaveCount(0, { timeout: 60_000 });
    },
  },
  {
    name: 'recipe-questions',
    async open(page, world) {
      await world.open(page, 'questions', 'recipe');
      await says(page, world, 'reward_trial_none');
      await says(page, world, 'recipe_trains');
    },
  },
  {
    name: 'recipe-reward',
    async open(page, world) {
      const cards = [
        { card: 'length', weight: 1, settings: {} },
        { card: 'contains', weight: 0.5, settings: { texts: ['Friday', '周五'] } },
        { card: 'repetition', weight: -1, settings: {} },
      ];
      await amend(page, 'project', ({ project }) => {
        project.recipe = { ...project.recipe, recipe: 'grpo', reward: { cards, model: null } };
      });
      await answer(page, 'set_recipe', () => ({}));
      await answer(page, 'try_reward', () => ({ scored: scored[world.language] }));
      await hold(page, 'plan');
      await world.open(page, 'replies', 'recipe');
      await expect(page.getByText(scored[world.language][0]!.answer)).toBeVisible({ timeout: 60_000 });
      await page.getByRole('heading', { name: world.say('reward_title') }).evaluate((title) => title.scrollIntoView({ block: 'start' }));
    },
  },
];

/** What a reward of three cards makes of the data's answers. */
const scored = {
  en: [
    { prompt: 'Where is my parcel?', answer: 'It should be with you by Friday. The tracking number is in our last e-mail.', reward: 1.42, parts: [0.92, 1, 0] },
    { prompt: 'How long does a refund take?', answer: 'Five working days, counted from the day on which we have the lamp back.', reward: 0.81, parts: [0.81, 0, 0] },
    { prompt: 'My lamp is broken.', answer: 'Sorry sorry sorry sorry sorry sorry sorry.', reward: -0.45, parts: [0.4, 0, 0.85] },
  ],
  zh: [
    { prompt: '我的包裹到哪儿了？', answer: '预计周五送达，物流单号在我们发给你的最后一封邮件里。', reward: 1.42, parts: [0.92, 1, 0] },
    { prompt: '退款需要多久？', answer: '从我们收到退回的台灯那天算起，五个工作日。', reward: 0.81, parts: [0.81, 0, 0] },
    { prompt: '我的台灯碎了。', answer: '抱歉抱歉抱歉抱歉抱歉抱歉抱歉。', reward: -0.45, parts: [0.4, 0, 0.85] },
  ],
};
