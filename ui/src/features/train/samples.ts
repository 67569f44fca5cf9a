import type { StepMetrics } from '../../contract/StepMetrics';
import type { Entry, Happened } from './fold';

/** What the model answered at a step. */
export type Sample = Extract<Happened, { event: 'sample' }>;

/** A question with its answers, the newest first. */
export interface Asked {
  prompt: string;
  samples: Sample[];
}

/** Sample answers by question, in the order in which questions came. Steps done again replace what was. */
export function byPrompt(log: readonly Entry[]): Asked[] {
  const asked = new Map<string, Map<number, Sample>>();
  for (const { happened } of log) {
    if (happened.event !== 'sample') continue;
    let steps = asked.get(happened.prompt);
    if (!steps) asked.set(happened.prompt, (steps = new Map()));
    steps.set(happened.step, happened);
  }
  return [...asked].map(([prompt, steps]) => ({
    prompt,
    samples: [...steps.values()].sort((one, other) => other.step - one.step),
  }));
}

/** Names of the parts of a run's reward, as its figures have them (`rewards/1/length`), in their order. */
export function rewardParts(figures: StepMetrics['figures'] | undefined): string[] {
  const parts: string[] = [];
  for (const name of Object.keys(figures ?? {})) {
    const [, place, part] = /^rewards\/(\d+)\/(.+)$/.exec(name) ?? [];
    if (place && part) parts[Number(place) - 1] = part;
  }
  return parts;
}
