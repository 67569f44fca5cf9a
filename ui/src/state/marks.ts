import type { Project } from '../contract/Project';
import type { MessageKey } from '../messages/messages.svelte';
import { steps, type Place, type Step } from './route';

/** How a step stands: `done`, `open` (can be done), `busy` (a run is under way) or `blocked`. */
export interface Mark {
  step: Step;
  state: 'done' | 'open' | 'busy' | 'blocked';
  /** What has to be done before, when blocked. */
  needs?: { step: Step; why: MessageKey };
}

/** How every step of a project stands. */
export function marks(project: Project): Mark[] {
  return steps.map((step) => ({ step, ...markOf(step, project) }));
}

/** What has to be done before a place shows anything; nothing when it does. */
export function needsOf(place: Place, project: Project): Mark['needs'] {
  if (place !== 'feedback') return markOf(place, project).needs;
  // Votes that exist can be looked at, whatever became of the base model.
  if (project.base?.card || project.runs.length > 0) return undefined;
  return { step: 'model', why: 'frame_needs_model_to_answer' };
}

/** The step to go on with when a project is opened. */
export function nextStep(project: Project): Step {
  const all = marks(project);
  const busy = all.find((mark) => mark.state === 'busy');
  if (busy) return busy.step;
  if (project.summary.state === 'judged') return 'evaluate';
  if (project.summary.state === 'stopped') return 'train';
  return all.find((mark) => mark.state === 'open')?.step ?? 'use';
}

function markOf(step: Step, project: Project): Omit<Mark, 'step'> {
  const { runs } = project;
  const hasBase = project.base !== null && project.base.card !== null;
  const hasData = project.files.length > 0;
  const judged = runs.some((run) => run.state === 'judged');
  const judging = runs.some((run) => run.state === 'judging');
  const training = runs.some((run) => run.state === 'training' || run.state === 'waiting');
  switch (step) {
    case 'model':
      return { state: hasBase ? 'done' : 'open' };
    case 'data':
      return { state: hasData ? 'done' : 'open' };
    case 'recipe':
    case 'train': {
      // Runs that exist can be looked at, whatever became of base and data.
      if (runs.length === 0 && !hasBase) return { state: 'blocked', needs: { step: 'model', why: 'frame_needs_model' } };
      if (runs.length === 0 && !hasData) return { state: 'blocked', needs: { step: 'data', why: 'frame_needs_data' } };
      if (step === 'train' && training) return { state: 'busy' };
      return { state: (step === 'recipe' ? runs.length > 0 : judged || judging) ? 'done' : 'open' };
    }
    case 'evaluate':
      if (judged) return { state: 'done' };
      if (judging) return { state: 'busy' };
      return { state: 'blocked', needs: needsRun(project) };
    case 'use': {
      const usable = judged || runs.some((run) => run.epochs.length > 0);
      return usable ? { state: 'open' } : { state: 'blocked', needs: needsRun(project) };
    }
  }
}

/** Training comes first, unless that has to wait itself. */
function needsRun(project: Project): NonNullable<Mark['needs']> {
  return markOf('train', project).needs ?? { step: 'train', why: 'frame_needs_run' };
}
