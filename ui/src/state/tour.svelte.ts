import { language, message } from '../messages/messages.svelte';
import { starter } from './actions';
import type { AppState } from './app.svelte';

const remembered = 'sanbao.tour';
/** What is remembered once somebody does not want it, or has been through it. */
const over = 'over';

/** Id of the project that is being led through, `over`, or nothing yet. */
let current = $state<string | null>(localStorage.getItem(remembered));

function remember(value: string): void {
  current = value;
  localStorage.setItem(remembered, value);
}

/** Whether the way through an example is offered to those who have no project yet. */
export function isTourOffered(): boolean {
  return current !== over;
}

/** Whether a project is the example that one is led through. */
export function isTour(project: string): boolean {
  return current === project && current !== over;
}

/** Ends the tour, or declines it; it is not offered again. */
export function endTour(): void {
  remember(over);
}

/** Makes a project of the sample, set for the quickest run, and begins where something is to be seen or done. */
export async function beginTour(app: AppState): Promise<void> {
  const name = message('home_sample_name');
  let { project } = await app.call({ request: 'create_project', name });
  const { id } = project.summary;
  remember(id);
  let failed: unknown = null;
  try {
    const { models } = await app.call({ request: 'models' });
    if (models.some((model) => model.id === starter && model.installed)) {
      ({ project } = await app.call({ request: 'choose_base', project: id, model: starter }));
    }
    ({ project } = await app.call({ request: 'add_sample', project: id, language: language() }));
    const choice = { ...project.recipe, dial: 'quick' } as const;
    await app.call({ request: 'set_recipe', project: id, choice });
    project = { ...project, recipe: choice };
  } catch (error) {
    // The project is there all the same, and can be completed by hand.
    failed = error;
  }
  app.show(project, project.base ? 'data' : 'model');
  if (failed) app.toasts.fault(failed);
}
