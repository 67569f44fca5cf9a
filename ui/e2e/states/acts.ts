import { expect, type Page } from '@playwright/test';

import type { Fault } from '../../src/contract/Fault';
import { amend } from '../wire';
import type { Key, World } from '../world';

/** Something that the window can show. */
export interface State {
  /** What its pictures are called. */
  name: string;
  /** Brings an unused page there, and waits until it is. */
  open: (page: Page, world: World) => Promise<void>;
  /** Ends what it began on the server. */
  close?: (world: World) => Promise<void>;
}

export const busy: Fault = { code: 'project.busy', message: 'the project is being changed by another program; try again', params: {} };
export const crashed: Fault = {
  code: 'worker.crashed',
  message: 'the worker ended with signal 9; continue from the last checkpoint with --resume',
  params: {},
};
export const noMemory: Fault = {
  code: 'train.out_of_memory',
  message: 'the CPU has not enough memory for 4096 tokens at once; shorten rows or choose a smaller model',
  params: { device: 'CPU', tokens: '4096' },
};

/** Shows runs as if each had trained a reward model. */
export async function asIfOfRewardModels(page: Page): Promise<void> {
  await amend(page, 'project', ({ project }) => {
    for (const run of project.runs) run.recipe = 'reward_model';
  });
}

/** Waits for a message of the window. */
export async function says(page: Page, world: World, key: Key, params?: Record<string, string | number>): Promise<void> {
  await expect(page.getByText(world.say(key, params)).first()).toBeVisible({ timeout: 60_000 });
}

export async function press(page: Page, world: World, key: Key, params?: Record<string, string | number>): Promise<void> {
  await page.getByRole('button', { name: world.say(key, params) }).first().click();
}

export async function choose(page: Page, world: World, key: Key): Promise<void> {
  await page.getByRole('radio', { name: world.say(key) }).click();
}

export async function tab(page: Page, world: World, key: Key): Promise<void> {
  await page.getByRole('tab', { name: world.say(key) }).click();
}

export async function waits(page: Page, world: World, key: Key = 'loading'): Promise<void> {
  await says(page, world, key);
}

export async function fails(page: Page): Promise<void> {
  await expect(page.getByRole('alert').first()).toBeVisible({ timeout: 60_000 });
}

export async function ask(page: Page, world: World, question: string): Promise<void> {
  const field = page.getByLabel(world.say('use_question'), { exact: true });
  await field.fill(question);
  await field.press('Enter');
  await expect(page.locator('[aria-busy=true]')).toHaveCount(0, { timeout: 60_000 });
}
