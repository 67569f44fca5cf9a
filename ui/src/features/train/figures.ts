import type { StepMetrics } from '../../contract/StepMetrics';
import { decimated, smoothed, type Line } from './curve';
import { usualSmoothing } from './series';

/** A figure of a recipe over the steps, as a chart shows it. */
export interface FigureLine {
  /** Standard name (TRL). */
  name: string;
  /** The course. */
  line: Line;
  /** What lies around it on both sides; `null` where nothing is known of that. */
  spread: Line | null;
  /** The same figure on the validation rows; empty where it was not measured. */
  unseen: Line;
}

/** Figures that have a chart, with the name of their standard deviation, the most telling first. */
const charted: readonly { name: string; spread?: string }[] = [
  { name: 'reward', spread: 'reward_std' },
  { name: 'rewards/accuracies' },
  { name: 'rewards/margins' },
  { name: 'kl' },
  { name: 'completions/mean_length' },
];

/** More points than this are not seen in a chart of this width. */
const mostPoints = 400;

/** The charts that a run has something for. */
export function figureLines(steps: readonly StepMetrics[]): FigureLine[] {
  return charted.flatMap(({ name, spread }) => {
    const line = lineOf(steps, name);
    // A single point is no course; it stands among the figures.
    if (line.steps.length < 2) return [];
    const weight = usualSmoothing(line.steps.length);
    const drawn = (one: Line) => decimated(smoothed(one, weight), mostPoints);
    const around = spread ? lineOf(steps, spread) : null;
    const isWhole = around !== null && around.steps.length === line.steps.length;
    return { name, line: isWhole ? smoothed(line, weight) : drawn(line), spread: isWhole ? smoothed(around, weight) : null, unseen: lineOf(steps, `eval_${name}`) };
  });
}

/** The values of a figure at the steps that have it. */
export function lineOf(steps: readonly StepMetrics[], name: string): Line {
  const line: Line = { steps: [], values: [] };
  for (const { step, figures } of steps) {
    const value = figures?.[name];
    if (value === undefined || !Number.isFinite(value)) continue;
    line.steps.push(step);
    line.values.push(value);
  }
  return line;
}

/** Lowest and highest value that a chart has to show. */
export function rangeOf({ line, spread, unseen }: FigureLine): [number, number] {
  const lows = line.values.map((value, at) => value - (spread?.values[at] ?? 0));
  const highs = line.values.map((value, at) => value + (spread?.values[at] ?? 0));
  const low = [...lows, ...unseen.values].reduce((least, value) => Math.min(least, value), Infinity);
  const high = [...highs, ...unseen.values].reduce((most, value) => Math.max(most, value), -Infinity);
  // A line that does not move lies in the middle.
  return high > low ? [low, high] : [low - 0.5, high + 0.5];
}

/** Steps that are looked at to see how it goes now. */
const recent = 10;
/** From this share on there is next to nothing to learn from. */
const mostAlike = 0.8;

/** Whether nearly all questions lately gave answers of the same reward, as a share; else `null`. */
export function sameRewards(steps: readonly StepMetrics[]): number | null {
  const { values } = lineOf(steps, 'frac_reward_zero_std');
  const last = values.slice(-recent);
  if (last.length === 0) return null;
  const share = last.reduce((sum, value) => sum + value, 0) / last.length;
  return share > mostAlike ? share : null;
}
