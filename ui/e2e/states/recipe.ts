import { expect } from '@playwright/test';

import { hold, refuse } from '../wire';
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
];
