import { expect, type Page } from '@playwright/test';

import { amend, refuse } from '../wire';
import type { World } from '../world';
import { asIfOfRewardModels, ask, choose, crashed, fails, press, says, type State } from './acts';

/** Gives the panel that answers files a CSV file. */
async function pick(page: Page, world: World, rows: string): Promise<void> {
  const choosing = page.waitForEvent('filechooser');
  await press(page, world, 'use_file_pick');
  await (await choosing).setFiles({ name: 'answers.csv', mimeType: 'text/csv', buffer: Buffer.from(rows) });
}

export const use: State[] = [
  {
    name: 'use-blocked',
    async open(page, world) {
      await world.open(page, 'ready', 'use');
      await says(page, world, 'frame_needs_title');
    },
  },
  {
    name: 'use-chat-empty',
    async open(page, world) {
      await world.open(page, 'judged', 'use');
      await says(page, world, 'use_try');
    },
  },
  {
    name: 'use-chat',
    async open(page, world) {
      await world.open(page, 'replies', 'use');
      await ask(page, world, world.language === 'en' ? 'Where is my parcel?' : '我的包裹到哪儿了？');
      await page.locator('summary').first().click();
    },
  },
  {
    name: 'use-chat-error',
    async open(page, world) {
      await refuse(page, 'chat', crashed);
      await world.open(page, 'judged', 'use');
      await ask(page, world, world.language === 'en' ? 'Where is my parcel?' : '我的包裹到哪儿了？');
      await fails(page);
    },
  },
  {
    name: 'use-export',
    async open(page, world) {
      await world.open(page, 'judged', 'use');
      await choose(page, world, 'use_export');
      await page.locator('summary').first().click();
    },
  },
  {
    name: 'use-exported',
    async open(page, world) {
      await world.open(page, 'judged', 'use');
      await choose(page, world, 'use_export');
      await press(page, world, 'use_export');
      await says(page, world, 'use_parity');
    },
  },
  {
    name: 'use-file',
    async open(page, world) {
      await world.open(page, 'judged', 'use');
      await choose(page, world, 'use_file');
      await pick(page, world, 'no,question\n1,Where is my parcel?\n');
      await expect(page.locator('textarea').first()).toHaveValue('{{question}}');
    },
  },
  {
    name: 'use-scores',
    async open(page, world) {
      await asIfOfRewardModels(page);
      await amend(page, 'look_at_file', (reply) => (reply.answer = '{{answer}}'));
      await world.open(page, 'judged', 'use');
      await pick(page, world, 'question,answer\nWhere is my parcel?,It comes on Friday.\n');
      await expect(page.locator('textarea').first()).toHaveValue('{{question}}');
    },
  },
  {
    name: 'use-serve',
    async open(page, world) {
      await world.open(page, 'judged', 'use');
      await choose(page, world, 'use_serve');
      await says(page, world, 'use_serve_start');
    },
  },
  {
    name: 'use-serving',
    async open(page, world) {
      await world.open(page, 'judged', 'use');
      await choose(page, world, 'use_serve');
      await press(page, world, 'use_serve_start');
      await says(page, world, 'use_address');
    },
    async close(world) {
      await world.server.call({ request: 'stop_serving' });
    },
  },
];
