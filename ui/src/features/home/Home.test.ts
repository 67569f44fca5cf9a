import { render, screen, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { speak } from '../../messages/messages.svelte';
import { fakePlatform } from '../../platform/fake';
import { aBase, aProject, aSummary } from '../../platform/fake-data';
import { endTour } from '../../state/tour.svelte';
import { AppState, appContext } from '../../state/app.svelte';
import Home from './Home.svelte';

type Answers = Parameters<typeof fakePlatform>[0];

async function home(answers: Answers) {
  const platform = fakePlatform({ about: () => ({ version: '7.8.9', home: '/home' }), ...answers });
  const app = new AppState(platform);
  await app.loadProjects();
  render(Home, { context: appContext(app) });
  return { app, platform };
}

/** Opens the menu of a project and presses one of its items. */
async function choose(project: string, item: string) {
  const menu = screen.getByRole('button', { name: `Actions for “${project}”` });
  menu.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
  (await screen.findByRole('menuitem', { name: item })).click();
}

beforeEach(() => {
  speak('en');
  location.hash = '';
});

describe('home without projects', () => {
  it('says what Sanbao is and begins with the sample', async () => {
    endTour();
    const made = aProject({ summary: aSummary({ id: 'new' }), base: aBase() });
    const { app, platform } = await home({
      projects: () => ({ projects: [] }),
      create_project: () => ({ project: made }),
      choose_base: () => ({ project: made }),
      add_sample: () => ({ project: made }),
    });
    expect(screen.getByRole('heading', { level: 1 }).textContent).toContain('Make your own language model');
    expect(await screen.findByText('Version 7.8.9')).toBeTruthy();
    screen.getByRole('button', { name: 'Try it with the sample' }).click();
    await vi.waitFor(() => expect(app.route.page).toBe('project'));
    expect(platform.asked.map(({ request }) => request).slice(-3)).toEqual(['create_project', 'choose_base', 'add_sample']);
  });

  it('changes its language at once', async () => {
    await home({ projects: () => ({ projects: [] }) });
    screen.getByRole('radio', { name: '中文' }).click();
    expect(await screen.findByRole('button', { name: '用示例数据试一试' })).toBeTruthy();
  });

  it('says so when the engine does not answer, and asks again', async () => {
    let there = false;
    await home({
      projects: () => {
        if (!there) throw new Error('gone');
        return { projects: [] };
      },
    });
    expect(screen.getByRole('alert').textContent).toContain('engine does not answer');
    there = true;
    screen.getByRole('button', { name: 'Try again' }).click();
    expect(await screen.findByRole('button', { name: 'Choose files' })).toBeTruthy();
  });
});

describe('the projects', () => {
  const post = aSummary({ base: 'Starter', files: ['mail.csv'], rows: 1, state: 'judged', outcome: 'worse' });

  it('show what they are made of and how they stand', async () => {
    const fault = { code: 'project.damaged', message: 'Damaged.', params: { path: '/p/x' } };
    await home({ projects: () => ({ projects: [post, aSummary({ id: 'x', name: 'Old', state: 'unreadable', fault })] }) });
    const [first, old] = screen.getAllByRole('listitem') as [HTMLElement, HTMLElement];
    expect(first.textContent).toContain('mail.csv · 1 row');
    expect(within(first).getByText('Got worse')).toBeTruthy();
    expect(old.textContent).toContain('The project in /p/x is damaged.');
    expect(within(old).queryByRole('button', { name: 'Old' })).toBeNull();
  });

  it('are opened where one goes on', async () => {
    const { app } = await home({
      projects: () => ({ projects: [post] }),
      project: () => ({ project: aProject({ summary: post, base: aBase() }) }),
    });
    screen.getByRole('button', { name: 'Post' }).click();
    await vi.waitFor(() => expect(app.route).toMatchObject({ project: 'p1', step: 'evaluate' }));
  });

  it('are deleted with a way back', async () => {
    let projects = [post];
    const { app, platform } = await home({
      projects: () => ({ projects }),
      delete_project: () => void (projects = []),
      restore_project: () => void (projects = [post]),
    });
    await choose('Post', 'Delete');
    await vi.waitFor(() => expect(app.toasts.all[0]?.text).toBe('“Post” was deleted.'));
    await vi.waitFor(() => expect(app.projects.value).toEqual([]));
    app.toasts.all[0]!.action!.run();
    await vi.waitFor(() => expect(app.projects.value).toEqual([post]));
    expect(platform.asked).toContainEqual({ request: 'restore_project', project: 'p1' });
  });

  it('are copied under a name that can be changed', async () => {
    const { platform } = await home({
      projects: () => ({ projects: [post] }),
      duplicate_project: () => ({ project: aProject() }),
    });
    await choose('Post', 'Duplicate');
    const name = await screen.findByRole<HTMLInputElement>('textbox', { name: 'Name' });
    expect(name.value).toBe('Post (copy)');
    name.value = ' Mail ';
    name.dispatchEvent(new Event('input', { bubbles: true }));
    within(screen.getByRole('dialog')).getByRole('button', { name: 'Duplicate' }).click();
    await vi.waitFor(() => expect(platform.asked).toContainEqual({ request: 'duplicate_project', project: 'p1', name: 'Mail' }));
  });
});
