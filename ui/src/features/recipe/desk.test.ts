import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Plan } from '../../contract/Plan';
import type { Project } from '../../contract/Project';
import type { RecipeChoice } from '../../contract/RecipeChoice';
import type { RecipeInfo } from '../../contract/RecipeInfo';
import { fakePlatform, type Answers } from '../../platform/fake';
import { AppState } from '../../state/app.svelte';
import { RecipeDesk } from './desk.svelte';

const none: RecipeChoice = { recipe: null, dial: 'balanced', device: null, chosen: {}, reward: null };
const parameter = (name: string) => ({ name, kind: { kind: 'flag' as const }, help: {} });
const recipe = (name: string, parameters: string[]): RecipeInfo => ({
  name,
  treasure: 'fine_tune',
  title: {},
  summary: {},
  fits: true,
  reason: {},
  needs_reward: false,
  parameters: parameters.map(parameter),
});
const lora = recipe('lora', ['r', 'learning_rate']);
const full = recipe('full', ['learning_rate']);

function desk(answers: Answers = {}) {
  const platform = fakePlatform({
    recipes: () => ({ recipes: [lora, full], recommended: 'lora' }),
    devices: () => ({ devices: [] }),
    set_recipe: () => {},
    plan: () => ({ plan: { steps: 7 } as Plan }),
    ...answers,
  });
  const app = new AppState(platform);
  app.opening.value = { summary: { id: 'p' }, recipe: none } as Project;
  vi.spyOn(app, 'take').mockImplementation((project) => (app.opening.value = project));
  return { platform, app, desk: new RecipeDesk(app, 'p', none) };
}

describe('the desk', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('follows the recommendation until a recipe is chosen', async () => {
    const { desk: one } = desk();
    one.load();
    await vi.runAllTimersAsync();
    expect(one.recipe?.name).toBe('lora');
    one.follow(full);
    expect(one.recipe?.name).toBe('full');
  });

  it('saves and plans once after several changes, and dims what is old meanwhile', async () => {
    const { desk: one, platform } = desk();
    one.set('r', 8);
    one.set('r', 32);
    expect(one.isStale).toBe(true);
    await vi.runAllTimersAsync();
    expect(one.isStale).toBe(false);
    expect(platform.asked.map((request) => request.request)).toEqual(['set_recipe', 'plan']);
    expect(platform.asked[0]).toMatchObject({ choice: { chosen: { r: 32 } } });
    expect(one.plan.value?.steps).toBe(7);
  });

  it('does not save what is saved', async () => {
    const { desk: one, platform } = desk();
    await one.askPlan();
    expect(platform.asked.map((request) => request.request)).toEqual(['plan']);
  });

  it('resets one setting or all, and lets go of those that another recipe lacks', () => {
    const { desk: one } = desk();
    one.set('r', 8);
    one.set('learning_rate', 0.1);
    one.follow(full);
    expect(one.choice).toMatchObject({ recipe: 'full', chosen: { learning_rate: 0.1 } });
    one.reset('learning_rate');
    expect(one.choice.chosen).toEqual({});
    one.set('learning_rate', 0.2);
    one.resetAll();
    expect(one.choice.chosen).toEqual({});
  });

  it('keeps a refusal, and the plan before it', async () => {
    let refuses = false;
    const plan = () => {
      if (refuses) throw { code: 'train.bad_setting', message: 'No.', params: {} };
      return { plan: { steps: 7 } as Plan };
    };
    const { desk: one } = desk({ plan });
    await one.askPlan();
    refuses = true;
    await one.askPlan();
    expect([one.plan.value?.steps, one.plan.error]).toMatchObject([7, { fault: { code: 'train.bad_setting' } }]);
  });

  it('saves what is not saved before it starts', async () => {
    const { desk: one, platform } = desk({ start_run: () => ({ run: { id: 'run-1' } as never }) });
    one.change({ dial: 'quick' });
    expect((await one.start()).id).toBe('run-1');
    expect(platform.asked.map((request) => request.request)).toEqual(['set_recipe', 'start_run']);
  });
});
