import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';

import type { Plan } from '../../contract/Plan';
import type { RecipeInfo } from '../../contract/RecipeInfo';
import type { Request } from '../../contract/Request';
import type { RunSummary } from '../../contract/RunSummary';
import { speak } from '../../messages/messages.svelte';
import { fakePlatform, type Answers } from '../../platform/fake';
import { fakeBrowser } from '../../platform/fake-browser';
import { aCard, aProject, aRun } from '../../platform/fake-data';
import { AppState, appContext } from '../../state/app.svelte';
import RecipeStep from './RecipeStep.svelte';

type Trial = Extract<Request, { request: 'try_reward' }>;

const grpo: RecipeInfo = {
  name: 'grpo',
  treasure: 'reward',
  title: { en: 'Trying and reward' },
  summary: { en: 'Tries answers.' },
  fits: true,
  reason: { en: 'Your questions are enough.' },
  needs_reward: true,
  parameters: [],
};
const plan = { settings: [], warnings: [], seconds: 60, memory_there: null, tokens: 1, parameters: 1 } as unknown as Plan;

async function show(answers: Answers = {}, runs: RunSummary[] = []) {
  const project = aProject({ runs });
  const platform = fakePlatform({
    recipes: () => ({ recipes: [grpo], recommended: 'grpo' }),
    devices: () => ({ devices: [] }),
    plan: () => ({ plan }),
    set_recipe: () => {},
    project: () => ({ project }),
    cards: () => ({ cards: [aCard()] }),
    try_reward: ({ reward }) => ({
      scored: [{ prompt: 'Why?', answer: 'Because.', reward: reward.cards[0]!.weight, parts: reward.cards.map(() => 1) }],
    }),
    ...answers,
  });
  location.hash = '#/project/p1/recipe';
  const app = new AppState(platform);
  app.opening.value = project;
  render(RecipeStep, { props: { project }, context: appContext(app) });
  await screen.findByRole('heading', { name: 'What is rewarded' });
  const names = () => platform.asked.map(({ request }) => request);
  return { platform, names, trials: () => platform.asked.filter((one): one is Trial => one.request === 'try_reward') };
}

async function addCard() {
  await fireEvent.click(await screen.findByRole('button', { name: 'Add a card' }));
  await fireEvent.click(await screen.findByRole('button', { name: /^Contains/ }));
}

describe('the reward', () => {
  beforeEach(() => {
    fakeBrowser();
    speak('en');
  });

  it('is asked for before anything is planned', async () => {
    const { names } = await show();
    expect(await screen.findByText(/^Nothing is rewarded yet/)).toBeTruthy();
    expect(screen.getByText('Your questions are enough.')).toBeTruthy();
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Start training' }).disabled).toBe(true);
    expect(names()).not.toContain('plan');
  });

  it('is saved, planned and tried on real answers as cards come', async () => {
    const { platform, trials } = await show();
    await addCard();
    expect(await screen.findByText('Because.')).toBeTruthy();
    expect(screen.queryByText(/^Nothing is rewarded yet/)).toBeNull();
    const reward = { cards: [{ card: 'contains', weight: 1, settings: {} }], model: null };
    await waitFor(() =>
      expect(platform.asked).toContainEqual(
        expect.objectContaining({ request: 'set_recipe', choice: expect.objectContaining({ reward }) }),
      ),
    );
    await waitFor(() => expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Start training' }).disabled).toBe(false));
    expect(trials().map((trial) => trial.reward)).toEqual([reward]);
  });

  it('is tried once after a slider moved, and with changed settings', async () => {
    const { trials } = await show();
    await addCard();
    await waitFor(() => expect(trials()).toHaveLength(1));
    const slider = screen.getByRole('slider', { name: 'Weight of Contains' });
    for (const value of ['0.5', '-0.5', '-2']) await fireEvent.input(slider, { target: { value } });
    await waitFor(() => expect(trials()).toHaveLength(2));
    expect(trials()[1]!.reward.cards[0]!.weight).toBe(-2);
    const texts = screen.getByLabelText<HTMLTextAreaElement>('Texts, one a line');
    expect(texts.value).toBe('because');
    await fireEvent.input(texts, { target: { value: 'therefore\n\nso' } });
    await fireEvent.blur(texts);
    await waitFor(() => expect(trials()[2]?.reward.cards[0]!.settings).toEqual({ texts: ['therefore', 'so'] }));
    expect(texts.closest('details')!.open).toBe(true);
  });

  it('says why it cannot be tried, and is empty again without its cards', async () => {
    const refuse = () => {
      throw { code: 'reward.no_reference', message: 'Row 3 has no answer to compare with.', params: {} };
    };
    await show({ try_reward: refuse });
    await addCard();
    expect(await screen.findByText('Row 3 has no answer to compare with.')).toBeTruthy();
    await fireEvent.click(screen.getByRole('button', { name: 'Remove Contains' }));
    expect(await screen.findByText(/^Nothing is rewarded yet/)).toBeTruthy();
    expect(screen.queryByText('Row 3 has no answer to compare with.')).toBeNull();
  });

  it('tells how to come by a reward model, until there is one', async () => {
    await show();
    expect(await screen.findByText(/^A model can reward as well/)).toBeTruthy();
  });

  it('offers trained reward models', async () => {
    await show({}, [aRun({ id: 'rm', recipe: 'reward_model', state: 'judged' }), aRun({ id: 'x', state: 'judged' })]);
    expect(await screen.findByText('Reward model')).toBeTruthy();
    expect(screen.queryByText(/^A model can reward as well/)).toBeNull();
  });
});
