import { expect, type Page } from '@playwright/test';

import { answer, hold, refuse } from '../wire';
import type { Key, World } from '../world';
import { busy, fails, press, says, tab, waits, type State } from './acts';
import { withVotes } from './votes';

async function fromMenu(page: Page, world: World, key: Key): Promise<void> {
  await press(page, world, 'feedback_files');
  await page.getByRole('menuitem', { name: world.say(key) }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
}

export const feedback: State[] = [
  {
    name: 'feedback-loading',
    async open(page, world) {
      await hold(page, 'feedback');
      await world.open(page, 'replies', 'feedback');
      await waits(page, world);
    },
  },
  {
    name: 'feedback-error',
    async open(page, world) {
      await refuse(page, 'feedback', busy);
      await world.open(page, 'replies', 'feedback');
      await fails(page);
    },
  },
  {
    name: 'feedback-empty',
    async open(page, world) {
      await world.open(page, 'replies', 'feedback');
      await says(page, world, 'feedback_how_many');
    },
  },
  {
    name: 'feedback-voting',
    async open(page, world) {
      await withVotes(page, world, 12, 28);
      await world.open(page, 'replies', 'feedback');
      await expect(page.getByText('A', { exact: true }).first()).toBeVisible();
    },
  },
  {
    name: 'feedback-results',
    async open(page, world) {
      await withVotes(page, world, 43, 2);
      await world.open(page, 'replies', 'feedback');
      await tab(page, world, 'feedback_votes');
      await says(page, world, 'feedback_everyone');
    },
  },
  {
    name: 'feedback-person',
    async open(page, world) {
      await withVotes(page, world, 43, 2);
      await world.open(page, 'replies', 'feedback');
      await tab(page, world, 'feedback_votes');
      await page.getByRole('button', { name: /^Ann/ }).click();
      await page.getByText(world.say('feedback_list_of', { name: 'Ann' })).evaluate((title) => title.scrollIntoView({ block: 'start' }));
    },
  },
  {
    name: 'feedback-import',
    async open(page, world) {
      await withVotes(page, world, 43, 2);
      await answer(page, 'import_feedback', () => ({ added: 19 }));
      await world.open(page, 'replies', 'feedback');
      await fromMenu(page, world, 'feedback_import');
      const choosing = page.waitForEvent('filechooser');
      await press(page, world, 'feedback_choose_file');
      await (await choosing).setFiles({ name: 'ann.jsonl', mimeType: 'application/jsonl', buffer: Buffer.from('{}\n') });
      await page.getByRole('dialog').getByRole('button', { name: world.say('feedback_import_do'), exact: true }).click();
      await expect(page.getByRole('list', { name: world.say('feedback_people') }).last()).toBeVisible();
    },
  },
  {
    name: 'feedback-export',
    async open(page, world) {
      await withVotes(page, world, 43, 2);
      await world.open(page, 'replies', 'feedback');
      await fromMenu(page, world, 'feedback_export');
    },
  },
];
