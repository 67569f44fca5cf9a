import type { StepMetrics } from '../../contract/StepMetrics';

/** Points of a line, in order of steps. */
export interface Line {
  steps: number[];
  values: number[];
}

/** The part of a run that is looked at, in steps, both ends included. */
export interface Range {
  from: number;
  to: number;
}

/** The loss of each step. */
export function lossLine(metrics: readonly StepMetrics[]): Line {
  return { steps: metrics.map((one) => one.step), values: metrics.map((one) => one.loss) };
}

/** The validation loss of the steps that ended with one. */
export function validationLine(metrics: readonly StepMetrics[]): Line {
  const measured = metrics.filter((one) => one.validation_loss != null);
  return {
    steps: measured.map((one) => one.step),
    values: measured.map((one) => one.validation_loss!),
  };
}

/** The step with the lowest validation loss: the one that is kept. */
export function bestStep(metrics: readonly StepMetrics[]): { step: number; loss: number } | null {
  const { steps, values } = validationLine(metrics);
  let best: { step: number; loss: number } | null = null;
  values.forEach((loss, at) => {
    if (best === null || loss < best.loss) best = { step: steps[at]!, loss };
  });
  return best;
}

/**
 * Exponential moving average; `weight` is what stays of the past at each step, 0 changes nothing.
 * Divided by the weight seen so far, so that the start is not drawn towards 0 (as Adam does it).
 */
export function smoothed(line: Line, weight: number): Line {
  let average = 0;
  let seen = 0;
  const values = line.values.map((value) => {
    average = weight * average + (1 - weight) * value;
    seen = weight * seen + (1 - weight);
    return average / seen;
  });
  return { steps: line.steps, values };
}

/** The points within a range, and one more on each side, so that the line reaches the edges. */
export function within(line: Line, range: Range | null): Line {
  if (range === null) return line;
  const first = line.steps.findIndex((step) => step >= range.from);
  if (first < 0) return { steps: [], values: [] };
  const beyond = line.steps.findIndex((step) => step > range.to);
  const [from, to] = [Math.max(0, first - 1), beyond < 0 ? line.steps.length : beyond + 1];
  return { steps: line.steps.slice(from, to), values: line.values.slice(from, to) };
}

/**
 * At most `most` points that look the same: of each stretch its lowest and its highest point, in
 * their order, with the first and the last of all.
 */
export function decimated(line: Line, most: number): Line {
  const count = line.steps.length;
  if (count <= most) return line;
  const kept: number[] = [0];
  const stretches = Math.max(1, Math.floor((most - 2) / 2));
  for (let stretch = 0; stretch < stretches; stretch++) {
    const from = 1 + Math.floor((stretch * (count - 2)) / stretches);
    const to = 1 + Math.floor(((stretch + 1) * (count - 2)) / stretches);
    const [low, high] = extremes(line.values, from, to);
    kept.push(Math.min(low, high));
    if (low !== high) kept.push(Math.max(low, high));
  }
  kept.push(count - 1);
  return { steps: kept.map((at) => line.steps[at]!), values: kept.map((at) => line.values[at]!) };
}

function extremes(values: readonly number[], from: number, to: number): [number, number] {
  let [low, high] = [from, from];
  for (let at = from; at < to; at++) {
    if (values[at]! < values[low]!) low = at;
    if (values[at]! > values[high]!) high = at;
  }
  return [low, high];
}

/** Several lines over one axis of steps: `null` where a line has no point. */
export function joined(lines: readonly Line[]): { steps: number[]; columns: (number | null)[][] } {
  const steps = [...new Set(lines.flatMap((line) => line.steps))].sort((a, b) => a - b);
  const place = new Map(steps.map((step, at) => [step, at]));
  const columns = lines.map((line) => {
    const column: (number | null)[] = steps.map(() => null);
    line.steps.forEach((step, at) => (column[place.get(step)!] = line.values[at]!));
    return column;
  });
  return { steps, columns };
}
