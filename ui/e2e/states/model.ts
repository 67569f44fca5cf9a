import { expect } from '@playwright/test';

import { amend, hold, refuse } from '../wire';
import { fails, press, says, waits, type State } from './acts';

export const model: State[] = [
  {
    name: 'model-loading',
    async open(page, world) {
      await hold(page, 'models');
      await world.open(page, 'empty', 'model');
      await waits(page, world);
    },
  },
  {
    name: 'model-error',
    async open(page, world) {
      await refuse(page, 'models', { code: 'project.disk_full', message: 'no space is left on the disk', params: {} });
      await world.open(page, 'empty', 'model');
      await fails(page);
    },
  },
  {
    name: 'model-unchosen',
    async open(page, world) {
      await world.open(page, 'empty', 'model');
      await expect(page.getByText('tiny-llama')).toBeVisible();
    },
  },
  {
    name: 'model-full',
    async open(page, world) {
      await amend(page, 'models', ({ models }) => {
        const others = models.filter(({ installed }) => !installed);
        const [first, second] = others;
        if (!first || !second) throw new Error('The catalogue has fewer than two models.');
        first.download = { model: first.id, bytes: first.bytes * 0.42, total: first.bytes, eta_seconds: 94, active: true, fault: null };
        second.download = { model: second.id, bytes: second.bytes * 0.1, total: second.bytes, eta_seconds: null, active: false, fault: null };
      });
      await world.open(page, 'ready', 'model');
      await says(page, world, 'model_chosen');
      await page.locator('summary').filter({ hasText: world.say('details') }).first().click();
    },
  },
  {
    name: 'model-none-found',
    async open(page, world) {
      await world.open(page, 'ready', 'model');
      await page.getByLabel(world.say('model_search')).fill('no such model');
      await says(page, world, 'model_none');
    },
  },
  {
    name: 'model-add',
    async open(page, world) {
      await world.open(page, 'ready', 'model');
      await press(page, world, 'model_add');
      await page.getByLabel(world.say('model_path')).fill('/nowhere/model.gguf');
      await page.getByRole('dialog').getByRole('button', { name: world.say('model_add_do'), exact: true }).click();
      await expect(page.locator('[aria-invalid=true]')).toBeVisible();
    },
  },
  {
    name: 'model-change',
    async open(page, world) {
      await amend(page, 'models', ({ models }) => {
        models.forEach((one) => (one.installed = true));
      });
      await world.open(page, 'judged', 'model');
      await page.getByRole('button', { name: world.say('model_choose') }).first().click();
      await expect(page.getByRole('dialog')).toBeVisible();
    },
  },
  {
    name: 'model-remove',
    async open(page, world) {
      await world.open(page, 'ready', 'model');
      await press(page, world, 'model_remove', { name: 'tiny-llama' });
      await expect(page.getByRole('dialog')).toBeVisible();
    },
  },
];
