import type { Author } from '../../contract/Author';
import type { Ballot } from '../../contract/Ballot';
import type { Choice } from '../../contract/Choice';
import type { Duel } from '../../contract/Duel';
import type { FeedbackStats } from '../../contract/FeedbackStats';
import type { Share } from '../../contract/Share';
import { message } from '../../messages/messages.svelte';
import { count, wholePercent } from '../../messages/numbers';

/** What an answer is called on its ballot: A to D. */
export function letter(answer: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + answer);
}

/** What a vote says, in a few words. */
export function choiceText(choice: Choice): string {
  switch (choice.kind) {
    case 'best':
      return message('feedback_chose_best', { answer: letter(choice.answer) });
    case 'edit':
      return message('feedback_chose_edit', { answer: letter(choice.answer) });
    case 'thumbs':
      return listed(choice.up.map((up, at) => `${letter(at)} ${message(up ? 'feedback_up' : 'feedback_down')}`));
    case 'stars':
      return listed(choice.stars.map((stars, at) => `${letter(at)} ${'★'.repeat(stars)}`));
    default:
      return message(`feedback_chose_${choice.kind}`);
  }
}

/** How an answer fared in the vote on its ballot. */
export function fared(choice: Choice, answer: number): 'good' | 'bad' | null {
  switch (choice.kind) {
    case 'best':
    case 'edit':
      return choice.answer === answer ? 'good' : null;
    case 'thumbs':
      return choice.up[answer] ? 'good' : 'bad';
    case 'stars': {
      const stars = choice.stars[answer] ?? 3;
      if (stars === 3) return null;
      return stars > 3 ? 'good' : 'bad';
    }
    case 'all_bad':
      return 'bad';
    default:
      return null;
  }
}

/** Who wrote an answer. */
export function authorName({ name, epoch }: Author): string {
  return epoch === null ? name : message('feedback_author_epoch', { name, epoch: count(epoch) });
}

/** What is asked on a ballot: the last turn. */
export function questionOf({ prompt }: Ballot): string {
  return prompt.at(-1)?.content ?? '';
}

/** A share with its interval, in whole per cent as no vote tells more: `68% (52–81%)`. */
export function shareText({ value, low, high }: Share): string {
  return message('feedback_share', { value: wholePercent(value), range: rangeText({ low, high }) });
}

/** An interval of a share: `52–81%`. */
export function rangeText({ low, high }: Pick<Share, 'low' | 'high'>): string {
  return message('feedback_range', { low: count(100 * low), high: wholePercent(high) });
}

/** Two authors on the same ballots in one sentence, and whether more than luck speaks for one. */
export function duelText(duel: Duel): { text: string; isClear: boolean } {
  const { first, second } = duel;
  const { low, high, of } = duel.win_rate;
  const told = (winner: string, loser: string, share: Share) =>
    message('feedback_duel', { winner, loser, share: shareText(share), number: count(of) });
  if (low > 0.5) return { text: told(first, second, duel.win_rate), isClear: true };
  if (high < 0.5) return { text: told(second, first, turned(duel.win_rate)), isClear: true };
  const text = message('feedback_duel_unclear', { first, second, share: shareText(duel.win_rate), number: count(of) });
  return { text, isClear: false };
}

/** The duel of two authors, seen from the first one; nothing until they met on a ballot. */
export function duelOf(stats: FeedbackStats, first: string, second: string): Duel | null {
  for (const duel of stats.duels) {
    if (duel.first === first && duel.second === second) return duel;
    if (duel.first === second && duel.second === first) {
      const { first_wins: second_wins, second_wins: first_wins } = duel;
      return { ...duel, first, second, first_wins, second_wins, win_rate: turned(duel.win_rate) };
    }
  }
  return null;
}

/** A share seen from the other side. */
function turned({ value, low, high, of }: Share): Share {
  return { value: 1 - value, low: 1 - high, high: 1 - low, of };
}

/** Below it, agreement is little more than the 0 that chance gives. */
const nearChance = 0.2;

/** How well several people agree, by the limits that Krippendorff gives for his alpha. */
export function agreementWord(alpha: number): 'good' | 'fair' | 'poor' | 'chance' {
  if (alpha >= 0.8) return 'good';
  if (alpha >= 0.667) return 'fair';
  return alpha >= nearChance ? 'poor' : 'chance';
}

/** Where several people judged, how far they agree; that they did not, otherwise. */
export function agreementText({ agreement, judged_by_several: several }: FeedbackStats): string {
  if (agreement === null || several === 0) return message('feedback_agreement_none');
  return message(`feedback_agreement_${agreementWord(agreement)}`, { n: count(several) });
}

function listed(parts: string[]): string {
  return parts.join(message('list_comma'));
}
