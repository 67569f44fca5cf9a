import type { StepMetrics } from '../../contract/StepMetrics';
import { decimated, joined, lossLine, smoothed, validationLine, within, type Line, type Range } from './curve';

/** A line of the chart as it is drawn. */
export interface Series {
  /** Which run it belongs to: place in the list of runs that are shown. */
  run: number;
  kind: 'each' | 'smooth' | 'validation';
}

/** What the chart draws: a column for each series over the steps. */
export interface ChartData {
  series: Series[];
  steps: number[];
  columns: (number | null)[][];
}

/** More points than this are not seen in a chart of this width. */
const mostPoints = 1200;

/**
 * The lines of the runs that are shown. One run alone has the loss of each step behind its smoothed
 * one; several have the smoothed one only, or nobody could tell them apart.
 */
export function chartData(
  runs: readonly (readonly StepMetrics[])[],
  smoothing: number,
  range: Range | null,
): ChartData {
  const alone = runs.length === 1;
  const series: Series[] = [];
  const lines: Line[] = [];
  const add = (run: number, kind: Series['kind'], line: Line) => {
    series.push({ run, kind });
    lines.push(decimated(within(line, range), mostPoints));
  };
  runs.forEach((metrics, run) => {
    const each = lossLine(metrics);
    if (alone && smoothing > 0) add(run, 'each', each);
    add(run, 'smooth', smoothed(each, smoothing));
    add(run, 'validation', validationLine(metrics));
  });
  return { series, ...joined(lines) };
}

/** How much of the past a line keeps: a short run has little of it, and would only lag behind. */
export function usualSmoothing(steps: number): number {
  return Math.min(0.9, Math.max(0, 1 - 10 / Math.max(1, steps)));
}

/** What was measured at a step, or last before it. */
export function at(metrics: readonly StepMetrics[], step: number): StepMetrics | null {
  let [low, high] = [0, metrics.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (metrics[middle]!.step <= step) low = middle + 1;
    else high = middle;
  }
  return metrics[low - 1] ?? null;
}

/** A narrower range around the end of what is looked at, or a wider one; `null` for everything. */
export function zoomed(range: Range | null, last: number, factor: number): Range | null {
  const { from, to } = range ?? { from: 1, to: last };
  const width = (to - from) * factor;
  if (width >= last - 1) return null;
  const least = Math.min(last - 1, 4);
  const start = Math.max(1, to - Math.max(width, least));
  return { from: start, to: Math.min(last, Math.max(to, start + width)) };
}
