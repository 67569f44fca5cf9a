/** The steps of a project, in order. */
export const steps = ['model', 'data', 'recipe', 'train', 'evaluate', 'use'] as const;
export type Step = (typeof steps)[number];

/** Where one can be in a project: a step, or the votes that several of them use. */
export const places = [...steps, 'feedback'] as const;
export type Place = (typeof places)[number];

/** What the window shows. */
export type Route = { page: 'home' } | { page: 'project'; project: string; step: Place };

/** Reads what stands behind the `#` of the address; home when it is nothing that we wrote. */
export function readRoute(hash: string): Route {
  const found = /^#\/project\/([^/]+)\/([a-z]+)$/.exec(hash);
  const step = places.find((name) => name === found?.[2]);
  if (!found?.[1] || !step) return { page: 'home' };
  return { page: 'project', project: decodeURIComponent(found[1]), step };
}

/** What stands behind the `#` of the address for a page. */
export function writeRoute(route: Route): string {
  return route.page === 'home' ? '#/' : `#/project/${encodeURIComponent(route.project)}/${route.step}`;
}
