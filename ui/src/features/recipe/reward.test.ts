import { beforeEach, expect, it } from 'vitest';

import { speak } from '../../messages/messages.svelte';
import { aCard } from '../../platform/fake-data';
import { cardOf, isEmpty, mostOf, partsOf, settingOf, withCard, withSetting } from './reward';
import { signed, signedWeight } from './words';

const info = aCard();
const card = cardOf(info);

beforeEach(() => speak('en'));

it('nothing is rewarded without a part that counts', () => {
  expect(isEmpty(null)).toBe(true);
  expect(isEmpty({ cards: [], model: null })).toBe(true);
  expect(isEmpty({ cards: [{ ...card, weight: 0 }], model: null })).toBe(true);
  expect(isEmpty({ cards: [{ ...card, weight: 0 }], model: { run: 'r', weight: -1 } })).toBe(false);
});

it('settings that are as proposed are not kept', () => {
  expect(settingOf(info, card, 'min')).toBe(1);
  const changed = withSetting(info, card, 'min', 4);
  expect([changed.settings, settingOf(info, changed, 'min')]).toEqual([{ min: 4 }, 4]);
  expect(withSetting(info, changed, 'min', 1).settings).toEqual({});
  expect(withSetting(info, { ...card, settings: { texts: ['x'] } }, 'texts', ['because']).settings).toEqual({});
});

it('cards are replaced and removed by their place, as one may be there twice', () => {
  const reward = { cards: [card, { ...card, weight: 2 }], model: null };
  expect(withCard(reward, 0, { ...card, weight: -1 }).cards.map(({ weight }) => weight)).toEqual([-1, 2]);
  expect(withCard(reward, 1, null).cards).toEqual([card]);
});

it('parts stand in the order of their scores, the reward model last', () => {
  const reward = { cards: [card, { ...card, card: 'newer' }], model: { run: 'r', weight: 0.5 } };
  const parts = partsOf(reward, [info]);
  expect(parts.map(({ name }) => name)).toEqual(['Contains', 'newer', 'Reward model']);
  const scored = [{ prompt: '', answer: '', reward: 0, parts: [0.2, null, -3] }];
  expect(mostOf(scored, parts)).toBe(1.5);
  expect(mostOf([], parts)).toBe(0);
});

it('rewards and weights have a sign proper', () => {
  expect([signed(1.5), signed(-0.254), signed(-0.001)]).toEqual(['1.50', '\u22120.25', '0.00']);
  expect([1, -0.5, 0, 0.30000000000000004].map(signedWeight)).toEqual(['+1', '\u22120.5', '0', '+0.3']);
});
