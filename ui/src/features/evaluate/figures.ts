import type { Comparison } from '../../contract/Comparison';
import type { Forgetting } from '../../contract/Forgetting';
import type { Pick } from '../../contract/Pick';
import type { Task } from '../../contract/Task';
import { percent, percentChange } from '../../messages/numbers';

/** How a figure is written: a share from 0 to 1 as per cent, 0 to 100, or a plain number. */
type Unit = 'share' | 'points' | 'number';

/** Metrics that are not plain numbers. */
const units: Record<string, Unit> = {
  accuracy: 'share',
  exact_match: 'share',
  win_rate: 'share',
  bleu: 'points',
  chrf: 'points',
  chrf_plus_plus: 'points',
  ter: 'points',
};

/** Metrics that a person reads first, by what was learnt; the others stand in the full table. */
const headlines: Record<Task, readonly string[]> = {
  classify: ['accuracy', 'macro_f1'],
  instruct: ['reward', 'win_rate', 'loss', 'chrf', 'rouge_l', 'token_f1', 'exact_match', 'span_f1'],
  prompt_only: ['reward'],
  prose: ['perplexity'],
  preference: ['loss'],
  unpaired: ['loss'],
};

export function isHeadline(metric: string, task: Task, deciding: string): boolean {
  return metric === deciding || headlines[task].includes(metric);
}

/** Writes the figures of one comparison, all with the same number of decimals. */
export interface Figures {
  figure(value: number): string;
  /** With its sign; of shares in points. */
  difference(value: number): string;
}

export function figuresOf({ metric, before, after }: Comparison): Figures {
  const largest = Math.max(Math.abs(before.value), Math.abs(after.value));
  const unit = units[metric] ?? 'number';
  const places = unit === 'number' ? placesFor(largest) : 1;
  const scale = unit === 'share' ? 100 : 1;
  return {
    figure: (value) => fixed(scale * value, places) + (unit === 'share' ? '%' : ''),
    difference: (value) => signed(scale * value, places),
  };
}

/** Ends of the axis: the whole scale where a metric has one, else from 0 to beyond the largest. */
export function domainOf(comparison: Comparison): [number, number] {
  const { before, after, higher_is_better: upwards } = comparison;
  const [low, high] = [Math.min(before.low, after.low), Math.max(before.high, after.high)];
  const unit = units[comparison.metric] ?? 'number';
  if (unit === 'share') return [0, 1];
  if (unit === 'points' && high >= 0 && high <= 100) return [0, 100];
  if (unit === 'number' && upwards && high <= 1 && low >= -1) return [low >= 0 ? 0 : -1, 1];
  return [Math.min(low, 0), high > 0 ? 1.08 * high : 1];
}

/** Whether the change is for the better or the worse, beyond its interval; else `unclear`. */
export type Direction = 'better' | 'worse' | 'unclear';

export function directionOf({ difference, higher_is_better: upwards }: Comparison): Direction {
  if (difference.low > 0) return upwards ? 'better' : 'worse';
  if (difference.high < 0) return upwards ? 'worse' : 'better';
  return 'unclear';
}

/** Round numbers that divide a range into about `wanted` parts. */
export function ticks(low: number, high: number, wanted: number): number[] {
  const span = high - low;
  if (!Number.isFinite(span) || span <= 0) return [];
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= rough * 0.999)!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, at) => (first + at) * step);
}

/** A tick in the units of its metric: `25%`, `0.5`. */
export function tickText(metric: string, value: number): string {
  const scaled = units[metric] === 'share' ? 100 * value : value;
  const text = String(Number(scaled.toPrecision(6))).replace('-', '\u2212');
  return units[metric] === 'share' ? `${text}%` : text;
}

/** The score that a row was chosen by. */
export function scoreText(score: Pick['score'], value: number): string {
  if (score === 'probability') return percent(value);
  return score === 'chrf' ? fixed(value, 1) : fixed(value, placesFor(value));
}

/** How much was forgotten, by the rise of perplexity; the limits are those of the report. */
export type Forgot = 'improved' | 'none' | 'little' | 'some' | 'much';

export function forgotten({ before, after }: Forgetting): { forgot: Forgot; change: string } {
  const change = after / before - 1;
  return { forgot: severity(100 * change), change: percentChange(change) };
}

function severity(change: number): Forgot {
  if (change < -2) return 'improved';
  if (change <= 2) return 'none';
  if (change <= 10) return 'little';
  return change <= 30 ? 'some' : 'much';
}

/** About three significant digits. */
export function threeDigits(value: number): string {
  return fixed(value, placesFor(value));
}

function placesFor(value: number): number {
  const size = Math.abs(value);
  if (size < 0.9995) return 3;
  if (size < 9.995) return 2;
  return size < 99.95 ? 1 : 0;
}

function signed(value: number, places: number): string {
  const text = fixed(value, places);
  return value > 0 && !isZero(text) ? `+${text}` : text;
}

/** With the minus sign proper; zero has no sign. */
function fixed(value: number, places: number): string {
  const text = value.toFixed(places);
  if (!text.startsWith('-')) return text;
  return isZero(text.slice(1)) ? text.slice(1) : `\u2212${text.slice(1)}`;
}

function isZero(text: string): boolean {
  return /^[0.]+$/.test(text);
}
