import { expect } from '@playwright/test';

import { hold, refuse } from '../wire';
import { fails, press, says, tab, waits, type State } from './acts';

export const data: State[] = [
  {
    name: 'data-empty',
    async open(page, world) {
      await world.open(page, 'empty', 'data');
      await says(page, world, 'data_empty');
    },
  },
  {
    name: 'data-checking',
    async open(page, world) {
      await hold(page, 'check_data');
      await world.open(page, 'ready', 'data');
      await waits(page, world, 'data_checking');
    },
  },
  {
    name: 'data-error',
    async open(page, world) {
      await refuse(page, 'check_data', {
        code: 'data.mixed_tasks',
        message: 'reviews.csv teaches to choose a label, story.txt teaches to go on writing; train on one kind at a time',
        params: {},
      });
      await world.open(page, 'ready', 'data');
      await fails(page);
    },
  },
  {
    name: 'data-checked',
    async open(page, world) {
      await world.open(page, 'ready', 'data');
      await says(page, world, 'data_labels');
    },
  },
  {
    name: 'data-findings',
    async open(page, world) {
      await world.open(page, 'flawed', 'data');
      await says(page, world, 'data_labels');
    },
  },
  {
    name: 'data-rows',
    async open(page, world) {
      await world.open(page, 'ready', 'data');
      await tab(page, world, 'data_tab_rows');
      await page.getByRole('checkbox').nth(1).check();
      await says(page, world, 'data_leave_out');
    },
  },
  {
    name: 'data-edit',
    async open(page, world) {
      await world.open(page, 'ready', 'data');
      await tab(page, world, 'data_tab_rows');
      await page.getByRole('button', { name: world.say('data_edit_row', { n: 1 }), exact: true }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
    },
  },
  {
    name: 'data-columns',
    async open(page, world) {
      await world.open(page, 'replies', 'data');
      await tab(page, world, 'data_tab_columns');
      await expect(page.getByRole('textbox').nth(2)).toBeVisible();
    },
  },
  {
    name: 'data-seen',
    async open(page, world) {
      await world.open(page, 'replies', 'data');
      await tab(page, world, 'data_tab_seen');
      await says(page, world, 'data_tokens_apart');
    },
  },
  {
    name: 'data-paste',
    async open(page, world) {
      await world.open(page, 'empty', 'data');
      await press(page, world, 'data_paste');
      await expect(page.getByRole('dialog')).toBeVisible();
    },
  },
  {
    name: 'data-questions',
    async open(page, world) {
      await world.open(page, 'questions', 'data');
      await says(page, world, 'data_shape_prompt_only');
      await expect(page.locator('[aria-busy=true], [role=progressbar]')).toHaveCount(0, { timeout: 60_000 });
    },
  },
  {
    name: 'data-removing',
    async open(page, world) {
      await world.open(page, 'flawed', 'data');
      await press(page, world, 'data_remove', { name: 'reviews.csv' });
      await says(page, world, 'data_removed', { name: 'reviews.csv' });
    },
  },
];
