import type { Part } from '../../components/RewardParts.svelte';
import type { Card } from '../../contract/Card';
import type { CardInfo } from '../../contract/CardInfo';
import type { Reward } from '../../contract/Reward';
import type { Scored } from '../../contract/Scored';
import { message } from '../../messages/messages.svelte';
import { inLanguage } from './words';

export const noReward: Reward = { cards: [], model: null };

/** A card as it begins: with its defaults, counting once. */
export function cardOf(info: CardInfo): Card {
  return { card: info.name, weight: 1, settings: {} };
}

/** Whether nothing is rewarded: no part, or none that counts. */
export function isEmpty(reward: Reward | null): boolean {
  if (!reward) return true;
  const weights = [...reward.cards.map(({ weight }) => weight), ...(reward.model ? [reward.model.weight] : [])];
  return weights.every((weight) => weight === 0);
}

/** The value of a setting of a card: what the person set, else its default. */
export function settingOf(info: CardInfo, card: Card, name: string): unknown {
  return name in card.settings ? card.settings[name] : info.defaults[name];
}

/** A card with one setting changed; a default is not kept, so that it follows the version. */
export function withSetting(info: CardInfo, card: Card, name: string, value: unknown): Card {
  const { [name]: _, ...others } = card.settings;
  const isDefault = JSON.stringify(value) === JSON.stringify(info.defaults[name]);
  return { ...card, settings: isDefault || value === undefined ? others : { ...others, [name]: value } };
}

/** A reward with the card at a place replaced, or removed when `null`. */
export function withCard(reward: Reward, place: number, card: Card | null): Reward {
  return { ...reward, cards: reward.cards.flatMap((one, at) => (at === place ? (card ?? []) : one)) };
}

/** The parts of a reward in the order of their scores: the cards, then the reward model. */
export function partsOf(reward: Reward, cards: readonly CardInfo[]): Part[] {
  const rules = reward.cards.map(({ card, weight }) => ({ name: partName(card, cards), weight }));
  return reward.model ? [...rules, { name: partName('reward_model', cards), weight: reward.model.weight }] : rules;
}

/** What a part of a reward is called: a card, or the reward model. */
export function partName(part: string, cards: readonly CardInfo[]): string {
  if (part === 'reward_model') return message('reward_model');
  const info = cards.find(({ name }) => name === part);
  return info ? inLanguage(info.title) : part;
}

/** The most that any part adds to an answer's reward, or takes. */
export function mostOf(scored: readonly Scored[], parts: readonly Part[]): number {
  const added = scored.flatMap((one) => one.parts.map((score, at) => Math.abs((score ?? 0) * (parts[at]?.weight ?? 0))));
  return Math.max(0, ...added);
}
