import { expect } from '@playwright/test';

import { amend, hold, refuse } from '../wire';
import { busy, fails, press, says, waits, type State } from './acts';

export const home: State[] = [
  {
    name: 'home-first',
    async open(page, world) {
      await amend(page, 'projects', (reply) => (reply.projects = []));
      await world.open(page);
      await says(page, world, 'sentence');
    },
  },
  {
    name: 'home-loading',
    async open(page, world) {
      await hold(page, 'projects');
      await world.open(page);
      await waits(page, world);
    },
  },
  {
    name: 'home-error',
    async open(page, world) {
      await refuse(page, 'projects', busy);
      await world.open(page);
      await fails(page);
    },
  },
  {
    name: 'home-full',
    async open(page, world) {
      await world.open(page);
      await expect(page.getByText(world.name('judged'))).toBeVisible();
    },
  },
  {
    name: 'home-menu',
    async open(page, world) {
      await world.open(page);
      await press(page, world, 'home_menu', { name: world.name('judged') });
      await expect(page.getByRole('menu')).toBeVisible();
    },
  },
  {
    name: 'home-new',
    async open(page, world) {
      await world.open(page);
      await press(page, world, 'home_new');
      await expect(page.getByRole('dialog')).toBeVisible();
    },
  },
];
