import { beforeEach, expect, it } from 'vitest';

import { speak } from '../messages/messages.svelte';
import { fakePlatform } from '../platform/fake';
import { aBase, aFile, aModel, aProject } from '../platform/fake-data';
import { AppState } from './app.svelte';
import { beginTour, endTour, isTour, isTourOffered } from './tour.svelte';

function show(installed: boolean) {
  const made = aProject();
  const platform = fakePlatform({
    create_project: () => ({ project: made }),
    models: () => ({ models: [aModel({ installed })] }),
    choose_base: () => ({ project: { ...made, base: aBase() } }),
    add_sample: () => ({ project: { ...made, base: installed ? aBase() : null, files: [aFile()] } }),
    set_recipe: () => {},
  });
  return { platform, app: new AppState(platform) };
}

beforeEach(() => {
  speak('zh');
  location.hash = '';
});

it('makes a quick project of the sample and begins with its data', async () => {
  const { platform, app } = show(true);
  await beginTour(app);
  expect(platform.asked.map(({ request }) => request)).toEqual(['create_project', 'models', 'choose_base', 'add_sample', 'set_recipe']);
  expect(platform.asked.at(-1)).toMatchObject({ choice: { recipe: null, dial: 'quick' } });
  expect(platform.asked.at(-2)).toMatchObject({ language: 'zh' });
  expect(app.route).toMatchObject({ step: 'data' });
  expect(app.project?.recipe.dial).toBe('quick');
  expect([isTour('p1'), isTour('other')]).toEqual([true, false]);
});

it('begins with the base model where it has to be fetched', async () => {
  const { platform, app } = show(false);
  await beginTour(app);
  expect(platform.asked.map(({ request }) => request)).not.toContain('choose_base');
  expect(app.route).toMatchObject({ step: 'model' });
});

it('is over for ever once it was declined', () => {
  endTour();
  expect([isTourOffered(), isTour('p1')]).toEqual([false, false]);
  expect(localStorage.getItem('sanbao.tour')).toBe('over');
});
