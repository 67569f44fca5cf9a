import { beforeEach, describe, expect, it } from 'vitest';

import type { Duel } from '../../contract/Duel';
import { speak } from '../../messages/messages.svelte';
import { aStats } from '../../platform/fake-data';
import { authorsOf } from './authors';
import { agreementText, agreementWord, choiceText, duelOf, duelText, fared, shareText } from './words';

const duel: Duel = {
  first: 'Starter',
  second: 'Tuned',
  first_wins: 11,
  second_wins: 26,
  ties: 3,
  win_rate: { value: 0.3125, low: 0.19, high: 0.48, of: 40 },
  p_value: 0.02,
};

beforeEach(() => speak('en'));

describe('who is preferred', () => {
  it('is told from the side of the winner', () => {
    expect(duelText(duel)).toEqual({ text: '“Tuned” is preferred to “Starter” in 69% (52–81%) of 40 comparisons.', isClear: true });
    expect(duelText({ ...duel, win_rate: { value: 0.45, low: 0.3, high: 0.61, of: 40 } }).text).toBe(
      'No clear favourite yet: “Starter” is preferred to “Tuned” in 45% (30–61%) of 40 comparisons.',
    );
    speak('zh');
    expect(duelText(duel).text).toBe('40 次比较中，“Tuned”有 69%（52–81%）胜过“Starter”。');
  });

  it('is found for two names in either order', () => {
    const stats = aStats({ duels: [duel] });
    expect(duelOf(stats, 'Starter', 'Tuned')).toBe(duel);
    expect(duelOf(stats, 'Tuned', 'Starter')).toMatchObject({ first_wins: 26, second_wins: 11, ties: 3, win_rate: { value: 0.6875, low: 0.52, high: 0.81 } });
    expect(duelOf(stats, 'Tuned', 'Other')).toBeNull();
  });
});

it('votes are told in a few words', () => {
  expect(choiceText({ kind: 'best', answer: 1 })).toBe('B is the best');
  expect(choiceText({ kind: 'thumbs', up: [true, false] })).toBe('A good, B bad');
  expect(choiceText({ kind: 'stars', stars: [5, 1] })).toBe('A ★★★★★, B ★');
  expect(choiceText({ kind: 'all_bad' })).toBe('all bad');
  expect(shareText({ value: 0.68, low: 0.52, high: 0.81, of: 40 })).toBe('68% (52–81%)');
});

it('answers fare as the vote says', () => {
  expect([fared({ kind: 'best', answer: 1 }, 0), fared({ kind: 'best', answer: 1 }, 1)]).toEqual([null, 'good']);
  expect([5, 3, 2].map((stars) => fared({ kind: 'stars', stars: [stars] }, 0))).toEqual(['good', null, 'bad']);
  expect(fared({ kind: 'tie' }, 0)).toBeNull();
});

it('agreement is judged by Krippendorff’s limits', () => {
  expect([0.9, 0.7, 0.5, 0.1, -0.4].map(agreementWord)).toEqual(['good', 'fair', 'poor', 'chance', 'chance']);
  expect(agreementText(aStats({ agreement: 0.85, judged_by_several: 12 }))).toBe('On the 12 questions that several people judged, they mostly agree.');
  expect(agreementText(aStats({ agreement: 0, judged_by_several: 1 }))).toBe('On the 1 question that several people judged, they agree hardly more often than by chance.');
  expect(agreementText(aStats())).toBe('No question was judged by several people yet, so it cannot be said how far they agree.');
});

it('base and trained model take turns', () => {
  const kinds = (...args: Parameters<typeof authorsOf>) => authorsOf(...args).map(({ kind }) => kind).join(' ');
  expect(kinds('both', 'r1', 2)).toBe('run base');
  expect(kinds('both', 'r1', 3)).toBe('run base run');
  expect(kinds('run', 'r1', 2)).toBe('run run');
  expect(kinds('both', null, 2)).toBe('base base');
});
