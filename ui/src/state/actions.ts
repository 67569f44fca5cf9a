import type { Project } from '../contract/Project';
import { language, message } from '../messages/messages.svelte';
import { RpcError } from '../platform/platform';
import type { AppState } from './app.svelte';
import { nextStep } from './marks';

/** The model that comes with Sanbao. */
export const starter = 'starter';

/** Files that are read; others can be dropped and are refused with a reason. */
export const addedFiles = ['.csv', '.tsv', '.txt', '.md', '.json', '.jsonl', '.ndjson'] as const;

/** Opens a project at the step to go on with. */
export async function openProject(app: AppState, id: string): Promise<void> {
  const { project } = await app.call({ request: 'project', project: id });
  app.show(project, nextStep(project));
}

/** A new project that still needs everything. */
export async function createProject(app: AppState, name: string): Promise<void> {
  const { project } = await app.call({ request: 'create_project', name });
  app.show(project, 'model');
}

/** A new project for these files, named after the first, with the starter model chosen. */
export async function createFromFiles(app: AppState, paths: string[]): Promise<void> {
  let { project, error } = await createWithStarter(app, nameFrom(paths[0] ?? ''));
  try {
    ({ project } = await app.call({ request: 'add_files', project: project.summary.id, paths }));
  } catch (refused) {
    // The project is there all the same, and waits for another file.
    error = refused;
  }
  app.show(project, 'data');
  if (error) app.toasts.fault(error);
}

/** A new project with the sample of the current language, ready for its recipe. */
export async function createFromSample(app: AppState): Promise<void> {
  const made = await createWithStarter(app, message('home_sample_name'));
  const request = { request: 'add_sample', project: made.project.summary.id, language: language() } as const;
  const { project } = await app.call(request);
  app.show(project, nextStep(project));
  if (made.error) app.toasts.fault(made.error);
}

/** Adds files to the open project and shows them. */
export async function addFiles(app: AppState, paths: string[]): Promise<void> {
  if (app.route.page !== 'project' || paths.length === 0) return;
  const { project } = await app.call({ request: 'add_files', project: app.route.project, paths });
  app.take(project);
  app.goToStep('data');
}

/** `movie_review_sentiment.csv` becomes `movie review sentiment`. */
export function nameFrom(path: string): string {
  const file = path.split(/[/\\]/).at(-1) ?? '';
  const name = file.replace(/\.[^.]+$/, '').replace(/[_-]+/g, ' ').trim();
  return name || message('home_new_name');
}

/**
 * A project without a base model where the starter model is not on this machine yet: it then asks for one. What else
 * went wrong is told where the project is shown.
 */
async function createWithStarter(app: AppState, name: string): Promise<{ project: Project; error: unknown }> {
  const { project } = await app.call({ request: 'create_project', name });
  try {
    const chosen = await app.call({ request: 'choose_base', project: project.summary.id, model: starter });
    return { project: chosen.project, error: null };
  } catch (error) {
    const isToCome = error instanceof RpcError && error.fault.code === 'app.model_missing';
    return { project, error: isToCome ? null : error };
  }
}
