import type { Forgetting } from '../../contract/Forgetting';
import type { Verdict } from '../../contract/Verdict';
import { isMessage, language, message, messageIn } from '../../messages/messages.svelte';
import { count, percent, points } from '../../messages/numbers';
import { forgotten, threeDigits } from './figures';

/** A verdict in one sentence: its first words, which are the answer, and the rest. */
export interface Sentence {
  lead: string;
  rest: string;
  /** The language that it is in. */
  lang: string;
}

/** The verdict in the current language; in Rust's English when its code is of another version. */
export function sentenceOf(verdict: Verdict): Sentence {
  const text = translated(verdict);
  return { ...split(text ?? verdict.sentence), lang: text === null ? 'en' : language() };
}

function translated({ sentence_code: code, sentence_params: given }: Verdict): string | null {
  // Likes and dislikes are judged as choices are: whether the liked answers became the likelier ones.
  const key = `evaluate_sentence_${code.replace(/^unpaired\./, 'preference.').replace('.', '_')}`;
  if (!isMessage(key)) return null;
  const needed = [...messageIn('en', key).matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  if (!needed.every((name) => name in given)) return null;
  return message(key, { ...given, ...sharesOf(code, given), rows: count(Number(given.rows)) });
}

/** Which parameters of a verdict's sentence are shares, and which differences of shares; Rust writes both times 100. */
const shares: Record<string, { shares: string[]; differences: string[] }> = {
  classify: { shares: ['before', 'after', 'majority'], differences: ['low', 'high'] },
  preference: { shares: ['before', 'after'], differences: ['low', 'high'] },
  unpaired: { shares: ['before', 'after'], differences: ['low', 'high'] },
  reward_model: { shares: ['before', 'after'], differences: ['low', 'high'] },
  reward: { shares: ['win_rate'], differences: [] },
};

/** The shares of a sentence, each with as many digits as the others. */
function sharesOf(code: string, given: Record<string, string>): Record<string, string> {
  const of = shares[code.split('.')[0]!] ?? { shares: [], differences: [] };
  const written = (names: string[], write: (share: number) => string) =>
    names.filter((name) => name in given).map((name) => [name, write(numberOf(given[name]!) / 100)]);
  return Object.fromEntries([...written(of.shares, percent), ...written(of.differences, points)]);
}

/** A number as Rust writes it, with the minus sign proper. */
function numberOf(text: string): number {
  return Number(text.replace('\u2212', '-'));
}

/** Up to the first colon and from there. */
function split(sentence: string): { lead: string; rest: string } {
  const end = sentence.search(/[:：]/) + 1;
  return { lead: sentence.slice(0, end), rest: sentence.slice(end) };
}

/** What was forgotten, in one sentence. */
export function forgettingSentence(forgetting: Forgetting): string {
  const { forgot, change } = forgotten(forgetting);
  return message(`evaluate_sentence_forgetting_${forgot}`, {
    before: threeDigits(forgetting.before),
    after: threeDigits(forgetting.after),
    change,
  });
}

/** A metric in words: what it is for everybody, what the field calls it, what it tells. */
export function metricWords(metric: string): { word: string; term: string; text: string } {
  const say = (kind: string, otherwise: string) => {
    const key = `evaluate_${kind}_${metric}`;
    return isMessage(key) ? message(key) : otherwise;
  };
  return { word: say('metric', metric), term: say('term', metric), text: say('explain', '') };
}

/** What a test is called. */
export function testName(test: string): string {
  const key = `evaluate_test_${test}`;
  return isMessage(key) ? message(key) : test;
}
