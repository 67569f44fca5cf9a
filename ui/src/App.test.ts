import { render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import App from './App.svelte';
import { speak } from './messages/messages.svelte';
import { fakePlatform } from './platform/fake';
import { aProject } from './platform/fake-data';
import { setTheme } from './state/theme.svelte';

function shown(answers: Parameters<typeof fakePlatform>[0] = {}) {
  const platform = fakePlatform({
    about: () => ({ version: '1.0.0', home: '/home' }),
    projects: () => ({ projects: [] }),
    project: () => ({ project: aProject() }),
    models: () => ({ models: [] }),
    ...answers,
  });
  render(App, { platform });
  return platform;
}

beforeEach(async () => {
  speak('en');
  setTheme('system');
  location.hash = '';
  await new Promise((resolve) => setTimeout(resolve, 5));
});

describe('the frame', () => {
  it('shows the steps and which of them wait', async () => {
    location.hash = '#/project/p1/model';
    shown();
    const links = await vi.waitFor(() => {
      const found = screen.getAllByRole('link').filter((link) => link.closest('nav ol'));
      expect(found).toHaveLength(6);
      return found;
    });
    expect(links[0]?.getAttribute('aria-current')).toBe('step');
    expect(links[3]?.textContent).toContain('not yet');
    expect(document.title).toBe('Post · Base model – Sanbao');
  });

  it('leads from a step that waits to the one it waits for', async () => {
    location.hash = '#/project/p1/train';
    shown();
    (await screen.findByRole('button', { name: 'Go to “Base model”' })).click();
    await vi.waitFor(() => expect(location.hash).toBe('#/project/p1/model'));
  });

  it('is called by what it shows, in the language that is spoken', async () => {
    location.hash = '#/project/p1/feedback';
    shown();
    await vi.waitFor(() => expect(document.title).toBe('Post · Which answer is better? – Sanbao'));
    speak('zh');
    await vi.waitFor(() => expect(document.title).toBe('Post · 哪个回答更好？ – Sanbao'));
    location.hash = '#/';
    await vi.waitFor(() => expect(document.title).toBe('Sanbao'));
  });

  it('takes what went wrong on a page away when it is left, and nothing else', async () => {
    location.hash = '#/project/p1/model';
    shown({ rename_project: () => { throw { code: 'project.busy', message: 'busy', params: {} }; } });
    const name = await screen.findByRole<HTMLInputElement>('textbox', { name: 'Project name' });
    name.value = 'Mail';
    name.dispatchEvent(new Event('input', { bubbles: true }));
    name.dispatchEvent(new Event('change', { bubbles: true }));
    expect(await screen.findByText(/being changed by another program/)).toBeTruthy();
    location.hash = '#/project/p1/data';
    await vi.waitFor(() => expect(screen.queryByText(/being changed by another program/)).toBeNull());
  });

  it('renames the project where its name stands', async () => {
    location.hash = '#/project/p1/model';
    const platform = shown({ rename_project: () => {} });
    const name = await screen.findByRole<HTMLInputElement>('textbox', { name: 'Project name' });
    name.value = 'Mail';
    name.dispatchEvent(new Event('input', { bubbles: true }));
    name.dispatchEvent(new Event('change', { bubbles: true }));
    await vi.waitFor(() => expect(platform.asked).toContainEqual({ request: 'rename_project', project: 'p1', name: 'Mail' }));
    await vi.waitFor(() => expect(document.title).toBe('Mail · Base model – Sanbao'));
  });

  it('says why a project cannot be opened, and leads home', async () => {
    location.hash = '#/project/p1/data';
    shown({ project: () => { throw { code: 'project.not_found', message: 'No.', params: {} }; } });
    expect((await screen.findByRole('alert')).textContent).toContain('not there any more');
    screen.getByRole('button', { name: 'All projects' }).click();
    expect(await screen.findByRole('button', { name: 'Choose files' })).toBeTruthy();
  });

  it('says when the connection is lost', async () => {
    const platform = shown();
    platform.link(false);
    expect(await screen.findByText(/connection to Sanbao is lost/)).toBeTruthy();
    platform.link(true);
    await vi.waitFor(() => expect(screen.queryByText(/connection to Sanbao is lost/)).toBeNull());
  });

  it('makes a project of files that are dropped', async () => {
    const project = aProject();
    const platform = shown({
      create_project: () => ({ project }),
      choose_base: () => ({ project }),
      add_files: () => ({ project }),
    });
    await screen.findByRole('button', { name: 'Choose files' });
    platform.drop(['/tmp/mail.csv']);
    await vi.waitFor(() => expect(location.hash).toBe('#/project/p1/data'));
  });

  it('wears the theme and the language that are chosen', async () => {
    shown();
    (await screen.findByRole('radio', { name: 'Dark' })).click();
    await vi.waitFor(() => expect(document.documentElement.dataset.theme).toBe('dark'));
    screen.getByRole('radio', { name: '中文' }).click();
    await vi.waitFor(() => expect(document.documentElement.lang).toBe('zh'));
    expect(localStorage.getItem('sanbao.theme')).toBe('dark');
  });
});
