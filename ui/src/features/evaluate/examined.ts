import type { Examined } from '../../contract/Examined';
import type { LearningPoint } from '../../contract/LearningPoint';
import type { Share } from '../../contract/Share';
import type { MessageKey } from '../../messages/messages.svelte';
import { ticks } from './figures';

/** From here on scores go with lengths a little, and mostly; the second limit is that of the advice. */
const some = 0.2;
const much = 0.6;

/** What a correlation of scores with lengths means. */
export function lengthMeaning(correlation: number): MessageKey {
  const size = Math.abs(correlation);
  if (size < some) return 'doctor_length_none';
  const direction = correlation > 0 ? 'longer' : 'shorter';
  return `doctor_length_${direction}_${size > much ? 'much' : 'some'}`;
}

/** A correlation with its sign: `+0.31`. */
export function correlationText(correlation: number): string {
  const text = Math.abs(correlation).toFixed(2);
  if (Number(text) === 0) return text;
  return `${correlation < 0 ? '\u2212' : '+'}${text}`;
}

/** A score with its sign, as scores have no scale of their own. */
export const scoreWithSign = correlationText;

/** A figure beside those that it has to beat. */
export interface Held {
  name: 'model' | 'longer' | 'untuned';
  share: Share;
}

/** How often a reward model is right, and what it is held against. */
export function heldAgainst({ agreement, longer_wins, untuned }: Examined): Held[] {
  return [
    { name: 'model', share: agreement },
    { name: 'longer', share: longer_wins },
    { name: 'untuned', share: untuned },
  ];
}

/** The learning curve on a field of 0 to 1 by 0 to 1, its ends, and the shares that are marked. */
export interface Curve {
  points: { x: number; y: number; pairs: number; accuracy: number }[];
  first: LearningPoint;
  last: LearningPoint;
  marks: { y: number; share: number }[];
}

/** `null` unless there are two points to draw a line between. */
export function curveOf(learning: readonly LearningPoint[]): Curve | null {
  const sorted = [...learning].sort((a, b) => a.pairs - b.pairs);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (!first || !last || last.pairs <= first.pairs) return null;
  // Half of the pairs is guessing; what lies below is seldom needed.
  const lowest = Math.min(0.5, ...sorted.map(({ accuracy }) => Math.floor(10 * accuracy) / 10));
  const y = (share: number) => (share - lowest) / (1 - lowest);
  const x = (pairs: number) => (pairs - first.pairs) / (last.pairs - first.pairs);
  return {
    points: sorted.map(({ pairs, accuracy }) => ({ x: x(pairs), y: y(accuracy), pairs, accuracy })),
    first,
    last,
    marks: ticks(lowest, 1, 2).map((share) => ({ y: y(share), share })),
  };
}
