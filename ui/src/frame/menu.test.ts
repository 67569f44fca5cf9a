import { beforeEach, expect, it, vi } from 'vitest';

import { language, speak } from '../messages/messages.svelte';
import type { MenuGroup } from '../platform';
import { fakePlatform } from '../platform/fake';
import { aProject } from '../platform/fake-data';
import { AppState } from '../state/app.svelte';
import { theme } from '../state/theme.svelte';
import { showMenu, systemOf, type System } from './menu';

beforeEach(() => {
  localStorage.clear();
  location.hash = '';
  speak('en');
});

async function shown(system: System) {
  let choose: (id: string) => void = () => undefined;
  let groups: readonly MenuGroup[] = [];
  const menu = vi.fn(async (given: readonly MenuGroup[], onchosen: (id: string) => void) => {
    [groups, choose] = [given, onchosen];
  });
  const app = new AppState(fakePlatform({ projects: () => ({ projects: [] }) }, { menu }));
  await showMenu(app, system);
  const entry = (id: string) => groups.flatMap(({ items }) => items).find((item) => item.kind === 'action' && item.id === id);
  return { app, choose: (id: string) => choose(id), labels: () => groups.map(({ label }) => label), entry, again: () => showMenu(app, system) };
}

it('each system gets the menus that it expects', async () => {
  expect((await shown('mac')).labels()).toEqual(['Sanbao', 'File', 'Edit', 'View', 'Go']);
  expect((await shown('windows')).labels()).toEqual(['File', 'Edit', 'View', 'Go', 'Help']);
  expect((await shown('linux')).labels()).toEqual(['File', 'View', 'Go', 'Help']);
});

it('no two entries have the same key or id', async () => {
  const menu = vi.fn(async (_: readonly MenuGroup[]) => undefined);
  await showMenu(new AppState(fakePlatform({}, { menu })), 'mac');
  const entries = menu.mock.calls[0]![0].flatMap(({ items }) => items).filter((item) => item.kind === 'action');
  const keys = entries.map(({ key }) => key).filter((key) => key !== null);
  expect(new Set(keys).size).toBe(keys.length);
  expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length);
});

it('language and theme are chosen in the menu, which then speaks so', async () => {
  const { choose, again, labels, entry } = await shown('linux');
  choose('language.zh');
  choose('theme.dark');
  expect([language(), theme()]).toEqual(['zh', 'dark']);
  await again();
  choose('theme.dark');
  expect(theme()).toBe('dark');
  expect(labels()).toEqual(['文件', '视图', '前往', '帮助']);
  expect([entry('theme.dark'), entry('theme.light')]).toMatchObject([{ checked: true }, { checked: false }]);
});

it('steps can be gone to where there is a project', async () => {
  const { app, choose, again, entry } = await shown('linux');
  expect(entry('go.data')).toMatchObject({ enabled: false, key: 'CmdOrCtrl+2' });
  app.show(aProject(), 'model');
  await again();
  expect(entry('go.data')).toMatchObject({ enabled: true });
  choose('go.data');
  expect(app.route).toMatchObject({ page: 'project', step: 'data' });
  choose('new');
  expect([app.route.page, app.naming]).toEqual(['home', true]);
});

it('a menu that cannot be shown is told of', async () => {
  const menu = () => Promise.reject(new Error('no menu'));
  const app = new AppState(fakePlatform({}, { menu }));
  await showMenu(app, 'linux');
  expect(app.toasts.all).toHaveLength(1);
});

it('the system is told by the browser engine', () => {
  expect(systemOf('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15')).toBe('mac');
  expect(systemOf('Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130 Edg/130')).toBe('windows');
  expect(systemOf('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15')).toBe('linux');
});
