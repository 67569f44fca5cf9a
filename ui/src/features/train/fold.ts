import type { RunEvent } from '../../contract/RunEvent';
import type { StepMetrics } from '../../contract/StepMetrics';

/** What happened in a run, for people who want to know; steps are in the chart. */
export type Happened = Exclude<RunEvent, { event: 'step' } | { event: 'reference' }>;

/** How much of the rows the base model has given its opinion of, before the first step. */
export type Reference = Extract<RunEvent, { event: 'reference' }>;

/** A line of the log. */
export interface Entry {
  /** When the window heard of it, milliseconds since 1970; `null` for what happened before. */
  at: number | null;
  happened: Happened;
}

/** The log after an event; the oldest lines of a very long run are forgotten. */
export function withEntry(log: readonly Entry[], entry: Entry): Entry[] {
  return [...log.slice(-499), entry];
}

/** The log with what a run remembers of itself in front, without what was heard anyway. */
export function withRemembered(log: readonly Entry[], events: readonly RunEvent[]): Entry[] {
  const heard = new Set(log.map(({ happened }) => JSON.stringify(happened)));
  const remembered = events.flatMap((happened): Entry[] => {
    if (happened.event === 'step' || happened.event === 'reference') return [];
    return heard.has(JSON.stringify(happened)) ? [] : [{ at: null, happened }];
  });
  return [...remembered, ...log];
}

/**
 * Steps after one more. A run that goes on from a checkpoint does the steps after it again: what
 * stood there is dropped.
 */
export function withStep(steps: readonly StepMetrics[], step: StepMetrics): StepMetrics[] {
  let kept = steps.length;
  while (kept > 0 && steps[kept - 1]!.step >= step.step) kept--;
  return [...steps.slice(0, kept), step];
}

/** Steps after a measurement on the validation rows. */
export function withValidation(steps: readonly StepMetrics[], step: number, loss: number): StepMetrics[] {
  return steps.map((one) => (one.step === step ? { ...one, validation_loss: loss } : one));
}

/** What was fetched, and after it what was heard while it was fetched. */
export function joinedSteps(fetched: readonly StepMetrics[], heard: readonly StepMetrics[]): StepMetrics[] {
  const first = heard[0]?.step ?? Infinity;
  return [...fetched.filter((one) => one.step < first), ...heard];
}

/** Whether steps are missing: events are thinned out when they come too fast. */
export function hasGaps(steps: readonly StepMetrics[]): boolean {
  const last = steps.at(-1);
  return last !== undefined && last.step !== steps.length;
}
