import type { Project } from '../contract/Project';
import { message } from '../messages/messages.svelte';
import type { Route } from './route';

/** What the window is called by what it shows: the project first, which tells windows apart where titles are cut. */
export function titleOf(route: Route, project: Project | null): string {
  if (route.page === 'home' || !project) return 'Sanbao';
  const step = message(route.step === 'feedback' ? 'feedback_title' : `step_${route.step}`);
  return message('frame_title', { project: project.summary.name, step });
}
