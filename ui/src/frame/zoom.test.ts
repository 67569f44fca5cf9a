import { fireEvent } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { speak } from '../messages/messages.svelte';
import { fakePlatform } from '../platform/fake';
import { AppState } from '../state/app.svelte';
import { zoomByKeys } from './zoom';

let stop = () => {};

function begin(kind: 'window' | 'browser' = 'window') {
  const zoom = vi.fn(() => Promise.resolve());
  const app = new AppState(fakePlatform({}, { kind, zoom }));
  stop = zoomByKeys(app);
  return { app, factors: () => (zoom.mock.calls as unknown[][]).map(([factor]) => factor) };
}

beforeEach(() => {
  localStorage.clear();
  speak('en');
});
afterEach(() => stop());

it('keys and the wheel make the page larger and smaller, and back to its own size', async () => {
  const { app, factors } = begin();
  await fireEvent.keyDown(document.body, { key: '=', ctrlKey: true });
  await fireEvent.keyDown(document.body, { key: '+', metaKey: true });
  await fireEvent.keyDown(document.body, { key: '-', ctrlKey: true });
  for (let bit = 0; bit < 5; bit++) await fireEvent.wheel(document.body, { deltaY: -10, ctrlKey: true });
  expect(factors()).toEqual([1.1, 1.25, 1.1, 1.25]);
  expect(app.toasts.all.map(({ text }) => text)).toEqual(['Size: 125%']);
  await fireEvent.keyDown(document.body, { key: '0', ctrlKey: true });
  expect(factors().at(-1)).toBe(1);
});

it('ends at the largest, and leaves other keys alone', async () => {
  const { factors } = begin();
  for (let time = 0; time < 9; time++) await fireEvent.keyDown(document.body, { key: '+', ctrlKey: true });
  expect(factors().at(-1)).toBe(2);
  const before = factors().length;
  const typed = await fireEvent.keyDown(document.body, { key: '+' });
  await fireEvent.keyDown(document.body, { key: 's', ctrlKey: true });
  await fireEvent.keyDown(document.body, { key: '-', ctrlKey: true, altKey: true });
  await fireEvent.wheel(document.body, { deltaY: 3 });
  expect([typed, factors().length]).toEqual([true, before]);
});

it('is as large again the next time', async () => {
  begin();
  await fireEvent.keyDown(document.body, { key: '-', ctrlKey: true });
  stop();
  expect(begin().factors()).toEqual([0.9]);
});

it('a browser zooms by itself', async () => {
  const { factors } = begin('browser');
  expect(await fireEvent.keyDown(document.body, { key: '+', ctrlKey: true })).toBe(true);
  expect(factors()).toEqual([]);
});
