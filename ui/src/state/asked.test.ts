import { expect, it } from 'vitest';

import { Asked } from './asked.svelte';

it('keeps the old answer until the new one is here, and the last question wins', async () => {
  const asked = new Asked<number>();
  await asked.ask(async () => 1);
  expect([asked.value, asked.waiting, asked.error]).toEqual([1, false, null]);
  let answer = (_: number) => {};
  const slow = asked.ask(() => new Promise((resolve) => (answer = resolve)));
  expect([asked.value, asked.waiting]).toEqual([1, true]);
  await asked.ask(async () => 3);
  answer(2);
  await slow;
  expect([asked.value, asked.waiting]).toEqual([3, false]);
});

it('says what went wrong and forgets it with the next question', async () => {
  const asked = new Asked<number>();
  expect(await asked.ask(() => Promise.reject(new Error('gone')))).toBeNull();
  expect((asked.error as Error).message).toBe('gone');
  await asked.ask(async () => 1);
  expect(asked.error).toBeNull();
  asked.clear();
  expect(asked.value).toBeNull();
});
