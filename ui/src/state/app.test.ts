import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { speak } from '../messages/messages.svelte';
import { fakePlatform } from '../platform/fake';
import { aBase, aModel, aProject, aRun, aSummary } from '../platform/fake-data';
import { addFiles, createFromFiles, createFromSample, nameFrom, openProject } from './actions';
import { AppState } from './app.svelte';

let stop = () => {};
beforeEach(async () => {
  speak('en');
  location.hash = '#/';
  // The address tells of its changes later: those of another test are none of this one's.
  await new Promise((resolve) => setTimeout(resolve, 5));
});
afterEach(() => stop());

function started(...[answers, parts]: Parameters<typeof fakePlatform>) {
  const platform = fakePlatform({ projects: () => ({ projects: [aSummary()] }), project: () => ({ project: aProject() }), ...answers }, parts);
  const app = new AppState(platform);
  stop = app.start();
  return { app, platform };
}

describe('the state', () => {
  it('follows the address, back as well', async () => {
    const { app } = started();
    await vi.waitFor(() => expect(app.projects.value).toHaveLength(1));
    app.go({ page: 'project', project: 'p1', step: 'data' });
    await vi.waitFor(() => expect(app.project?.summary.id).toBe('p1'));
    app.goToStep('recipe');
    expect(location.hash).toBe('#/project/p1/recipe');
    location.hash = '#/project/p1/data';
    await vi.waitFor(() => expect(app.route).toMatchObject({ step: 'data' }));
    app.goHome();
    expect(app.project).toBeNull();
  });

  it('opens the project of the address after a reload', async () => {
    location.hash = '#/project/p1/train';
    const { app, platform } = started();
    await vi.waitFor(() => expect(app.project).not.toBeNull());
    expect(platform.asked).toEqual([{ request: 'project', project: 'p1' }]);
  });

  it('says when a project cannot be opened', async () => {
    location.hash = '#/project/p1/train';
    const fault = { code: 'project.not_found', message: 'No.', params: {} };
    const { app } = started({ project: () => { throw fault; } });
    await vi.waitFor(() => expect(app.opening.error).toMatchObject({ fault }));
  });

  it('folds news of runs into the open project and the list', async () => {
    const { app, platform } = started();
    await openProject(app, 'p1');
    platform.tell({ event: 'run', project: 'p1', run: aRun() });
    platform.tell({ event: 'run', project: 'other', run: aRun({ id: 'x' }) });
    expect(app.project?.runs.map((run) => run.id)).toEqual(['r1']);
    await vi.waitFor(() => expect(app.projects.value).not.toBeNull());
    platform.tell({ event: 'run', project: 'p1', run: aRun({ state: 'judged', outcome: 'worse' }) });
    expect(app.projects.value?.[0]).toMatchObject({ state: 'judged', outcome: 'worse' });
  });

  it('keeps what was told of a run while an older answer was on its way', async () => {
    const older = aProject({ runs: [aRun({ state: 'waiting' })] });
    const { app, platform } = started({ project: () => ({ project: older }) });
    const { call } = platform;
    platform.call = async (request) => {
      const reply = await call(request);
      if (request.request === 'project') platform.tell({ event: 'run', project: 'p1', run: aRun({ state: 'training' }) });
      return reply;
    };
    await openProject(app, 'p1');
    await vi.waitFor(() => expect(app.project?.runs.map((run) => run.state)).toEqual(['training']));
    platform.call = call;
    await app.refresh();
    expect(app.project?.runs.map((run) => run.state)).toEqual(['waiting']);
  });

  it('keeps what reports an action when the page is left, and lets go of faults', async () => {
    const { app } = started();
    await openProject(app, 'p1');
    app.toasts.show('Written.', { kind: 'done' });
    app.toasts.fault({ code: 'project.busy', message: 'busy', params: {} });
    app.goToStep('recipe');
    expect(app.toasts.all.map(({ text }) => text)).toEqual(['Written.']);
  });

  it('knows how far a long request is until it is answered', async () => {
    let answer = () => {};
    const platform = fakePlatform({ project: () => ({ project: aProject() }) });
    const app = new AppState({ ...platform, call: ((request: { request: string }) => request.request === 'project'
      ? Promise.resolve({ reply: 'project', project: aProject() })
      : new Promise<void>((resolve) => (answer = resolve))) as typeof platform.call });
    stop = app.start();
    await openProject(app, 'p1');
    const checking = app.call({ request: 'check_data', project: 'p1' });
    platform.tell({ event: 'progress', project: 'p1', of: 'check_data', progress: { stage: 'reading', done: 1, total: 4 } });
    expect(app.progressOf('check_data')).toMatchObject({ done: 1, total: 4 });
    answer();
    await checking;
    expect(app.progressOf('check_data')).toBeNull();
  });

  it('asks again for what it may have missed while it was cut off', async () => {
    const { app, platform } = started();
    await vi.waitFor(() => expect(app.projects.value).not.toBeNull());
    platform.link(false);
    expect(app.connected).toBe(false);
    platform.link(true);
    await vi.waitFor(() => expect(platform.asked).toHaveLength(2));
    expect(app.connected).toBe(true);
  });

  it('follows downloads and asks for the models again when one is complete', async () => {
    const { app, platform } = started({ models: () => ({ models: [aModel({ installed: false })] }) });
    await app.models.load();
    const download = { model: 'starter', bytes: 5, total: 9, eta_seconds: 1, active: true, fault: null };
    platform.tell({ event: 'download', download });
    expect(app.models.byId('starter')?.download?.bytes).toBe(5);
    platform.tell({ event: 'download', download: { ...download, bytes: 9, active: false } });
    await vi.waitFor(() => expect(platform.asked.filter(({ request }) => request === 'models')).toHaveLength(2));
  });
});

describe('what begins a project', () => {
  const making = (base = aBase()) => ({
    create_project: ({ name }: { name: string }) => ({ project: aProject({ summary: aSummary({ id: 'new', name }) }) }),
    choose_base: () => ({ project: aProject({ summary: aSummary({ id: 'new' }), base }) }),
    add_files: () => ({ project: aProject({ summary: aSummary({ id: 'new' }), base, files: [] }) }),
  });

  it('files do: named after them, with the starter model', async () => {
    const { app, platform } = started(making());
    await createFromFiles(app, ['/home/me/movie_review-sentiment.csv']);
    expect(platform.asked.slice(1)).toEqual([
      { request: 'create_project', name: 'movie review sentiment' },
      { request: 'choose_base', project: 'new', model: 'starter' },
      { request: 'add_files', project: 'new', paths: ['/home/me/movie_review-sentiment.csv'] },
    ]);
    expect(app.route).toEqual({ page: 'project', project: 'new', step: 'data' });
    expect(app.project?.summary.id).toBe('new');
  });

  it('files that are refused leave the project, and say why', async () => {
    const refused = { code: 'data.no_rows', message: 'No rows.', params: { file: 'x.csv' } };
    const { app } = started({ ...making(), add_files: () => { throw refused; } });
    await createFromFiles(app, ['x.csv']);
    expect(app.toasts.all[0]?.text).toBe('x.csv has no rows. It needs at least one row of data.');
    expect(app.route).toMatchObject({ project: 'new' });
  });

  it('the sample does, in the language that is spoken', async () => {
    const { app, platform } = started({ ...making(), add_sample: () => ({ project: aProject({ summary: aSummary({ id: 'new' }) }) }) });
    speak('zh');
    await createFromSample(app);
    expect(platform.asked.at(-1)).toEqual({ request: 'add_sample', project: 'new', language: 'zh' });
  });

  it('files dropped on a project are added to it', async () => {
    const { app, platform } = started({ add_files: () => ({ project: aProject() }) });
    await openProject(app, 'p1');
    await addFiles(app, ['a.csv']);
    expect(platform.asked.at(-1)).toEqual({ request: 'add_files', project: 'p1', paths: ['a.csv'] });
    expect(app.route).toMatchObject({ step: 'data' });
  });

  it('has a name in any case', () => {
    expect(nameFrom('C:\\data\\Tickets.2024.csv')).toBe('Tickets.2024');
    expect(nameFrom('/tmp/___.csv')).toBe('New project');
    expect(nameFrom('')).toBe('New project');
  });
});
