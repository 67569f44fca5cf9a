import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Plan } from '../../contract/Plan';
import type { RecipeInfo } from '../../contract/RecipeInfo';
import { speak } from '../../messages/messages.svelte';
import { fakePlatform, type Answers } from '../../platform/fake';
import { fakeBrowser } from '../../platform/fake-browser';
import { aProject, aRun } from '../../platform/fake-data';
import { AppState, appContext } from '../../state/app.svelte';
import RecipeStep from './RecipeStep.svelte';

const rate = {
  name: 'learning_rate',
  kind: { kind: 'number' as const, low: 1e-8, high: 1 },
  help: { en: 'Size of each step at its peak.', zh: '每一步的最大幅度。' },
};
const rank = {
  name: 'r',
  kind: { kind: 'integer' as const, low: 1, high: 1024 },
  help: { en: 'Rank of the adapter.', zh: '适配器的秩。' },
};

function recipe(name: string, fits: boolean, parameters = [rank, rate]): RecipeInfo {
  return {
    name,
    treasure: 'fine_tune',
    title: { en: `Title of ${name}` },
    summary: { en: `Summary of ${name}` },
    fits,
    reason: {},
    needs_reward: false,
    parameters,
  };
}

const plan: Plan = {
  recipe: 'lora',
  model: 'Starter',
  device: 'cpu',
  trainable_parameters: 4_884_480,
  parameters: 134_515_008,
  rows: 1153,
  tokens: 214_880,
  trained_tokens: 3459,
  steps: 435,
  truncated_rows: 14,
  memory_needed: 5e9,
  memory_there: 4e9,
  recompute: false,
  seconds: 786,
  settings: [
    { name: 'r', value: 16, chosen: false, reason: { en: 'learns most tasks of this size', zh: '足以学会大多数任务' } },
    {
      name: 'learning_rate',
      value: 0.001,
      chosen: false,
      reason: { en: 'small models take large steps', zh: '小模型步子可以大' },
    },
  ],
  warnings: [{ en: 'only 24 rows are kept for the verdict', zh: '只有 24 行留作评判' }],
};

async function show(answers: Answers = {}, chosen: Record<string, unknown> = {}) {
  const project = aProject({ recipe: { recipe: null, dial: 'balanced', device: null, chosen, reward: null } });
  const platform = fakePlatform({
    recipes: () => ({
      recipes: [recipe('lora', true), recipe('full', true, [rate]), recipe('continued', false)],
      recommended: 'lora',
    }),
    devices: () => ({ devices: [] }),
    plan: () => ({ plan }),
    set_recipe: () => {},
    project: () => ({ project }),
    ...answers,
  });
  location.hash = '#/project/p1/recipe';
  const app = new AppState(platform);
  app.opening.value = project;
  render(RecipeStep, { props: { project }, context: appContext(app) });
  await screen.findByText('Title of lora');
  return { platform, app, asked: () => platform.asked.map((request) => request.request) };
}

describe('recipe', () => {
  beforeEach(() => {
    fakeBrowser();
    speak('en');
  });

  it('shows what is recommended, what does not fit, and what will happen', async () => {
    await show();
    expect(await screen.findByText('about 13 min')).toBeTruthy();
    expect(screen.getByRole<HTMLInputElement>('radio', { name: /Title of lora/ }).checked).toBe(true);
    expect(screen.getByText('Recommended for your rows').closest('label')?.textContent).toContain('Title of lora');
    expect(screen.queryByRole('radio', { name: /Title of continued/ })).toBeNull();
    expect(screen.getByText('Recipes for other kinds of rows (1)')).toBeTruthy();
    for (const text of [
      'of 135M weights (3.6%)',
      'of 214,880 in each pass (1.6%)',
      'but only 4 GB free',
      /14 rows are cut at the end/,
    ]) {
      expect(screen.getByText(text)).toBeTruthy();
    }
    expect(screen.getByText('only 24 rows are kept for the verdict')).toBeTruthy();
    expect(screen.getByText(/small models take large steps/)).toBeTruthy();
  });

  it('starts the run and goes where it is seen', async () => {
    const { asked } = await show({ start_run: () => ({ run: aRun() }) });
    const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Start training' });
    await waitFor(() => expect(button.disabled).toBe(false));
    await fireEvent.click(button);
    await waitFor(() => expect(location.hash).toBe('#/project/p1/train'));
    expect(asked()).toContain('start_run');
  });

  it('says beside a refusal what helps', async () => {
    let refuses = true;
    const refusing = () => {
      if (refuses)
        throw {
          code: 'train.bad_setting',
          message: "'r' is -1, but a whole number from 1 to 1024 is needed",
          params: {},
        };
      return { plan };
    };
    const { asked } = await show({ plan: refusing }, { r: -1 });
    expect(await screen.findByText(/'r' is -1/)).toBeTruthy();
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Start training' }).disabled).toBe(true);
    refuses = false;
    await fireEvent.click(screen.getAllByRole('button', { name: 'Reset all settings' })[0]!);
    expect(await screen.findByText('about 13 min')).toBeTruthy();
    expect(asked().filter((request) => request === 'set_recipe')).toHaveLength(1);
  });

  it('lets every setting be found, changed, checked and reset', async () => {
    const { platform } = await show();
    await screen.findByText('about 13 min');
    await fireEvent.input(screen.getByRole('searchbox'), { target: { value: 'step' } });
    expect(screen.queryByLabelText('Size of the adapter')).toBeNull();
    const field = screen.getByLabelText<HTMLInputElement>('Size of each step');
    expect(field.value).toBe('0.001');
    await fireEvent.input(field, { target: { value: '7' } });
    await fireEvent.keyDown(field, { key: 'Enter' });
    expect(screen.getByText('A number from 1e-8 to 1 is needed.')).toBeTruthy();
    expect(platform.asked.some((request) => request.request === 'set_recipe')).toBe(false);
    await fireEvent.input(field, { target: { value: '0,002' } });
    await fireEvent.blur(field);
    expect(await screen.findByText('changed by you')).toBeTruthy();
    await waitFor(() =>
      expect(platform.asked).toContainEqual(
        expect.objectContaining({
          request: 'set_recipe',
          choice: expect.objectContaining({ chosen: { learning_rate: 0.002 } }),
        }),
      ),
    );
    await fireEvent.click(screen.getByRole('button', { name: 'Back to the proposed value: Size of each step' }));
    expect(screen.queryByText('changed by you')).toBeNull();
  });

  it('speaks Chinese', async () => {
    const shown = show();
    speak('zh');
    await shown;
    expect(await screen.findByText('约 13分钟')).toBeTruthy();
    expect(screen.getByText('只有 24 行留作评判')).toBeTruthy();
    expect(screen.getByText(/小模型步子可以大/)).toBeTruthy();
    expect(screen.queryByText(/rows are kept|small models/)).toBeNull();
    vi.unstubAllGlobals();
  });
});
