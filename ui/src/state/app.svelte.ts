import { getContext, setContext } from 'svelte';

import type { Event } from '../contract/Event';
import type { Progress } from '../contract/Progress';
import type { Project } from '../contract/Project';
import type { ProjectSummary } from '../contract/ProjectSummary';
import type { Request } from '../contract/Request';
import type { RunSummary } from '../contract/RunSummary';
import type { MessageKey } from '../messages/messages.svelte';
import type { Platform, ReplyTo, Unsubscribe } from '../platform';
import { Asked } from './asked.svelte';
import { DataCheck } from './check.svelte';
import { summaryWithRun, withRun, withSummary } from './fold';
import { Models } from './models.svelte';
import { Removal } from './removal.svelte';
import { readRoute, writeRoute, type Place, type Route } from './route';
import { Toasts } from './toasts.svelte';

/** What the whole window knows: where one is, the projects, the open one, the models. */
export class AppState {
  readonly platform: Platform;
  readonly toasts = new Toasts();
  readonly models: Models;
  /** Every project, for home. */
  readonly projects = new Asked<ProjectSummary[]>();
  /** The open project while it is awaited, with what went wrong; `project` is the short way. */
  readonly opening = new Asked<Project>();
  /** What the checks say about the data of the open project. */
  readonly check = new DataCheck(this);
  /** A file that is about to be removed. */
  readonly removal = new Removal(this);
  /** What becomes of dropped files where that depends on more than the page; `null` elsewhere. */
  taker = $state.raw<{ label: MessageKey; take: (paths: string[]) => Promise<void> } | null>(null);
  /** Whether a new project is being given its name, at home. */
  naming = $state(false);
  /** Whether what happens reaches the window. */
  connected = $state(true);
  #route = $state.raw<Route>(readRoute(location.hash));
  /** The last news of each run, by project and run, numbered as they came. */
  readonly #news = new Map<string, { run: RunSummary; at: number }>();
  #newsCount = 0;
  /** How far long requests are, by project and request. */
  #progress = $state<Record<string, Progress>>({});

  constructor(platform: Platform) {
    this.platform = platform;
    this.models = new Models(platform);
  }

  /** What the window shows. It stands in the address, so that back and reload work. */
  get route(): Route {
    return this.#route;
  }

  /** The open project. */
  get project(): Project | null {
    return this.opening.value;
  }

  /** Begins to listen to the address and to what happens; gives the way to end it. */
  start(): Unsubscribe {
    const follow = () => this.#follow(readRoute(location.hash));
    window.addEventListener('hashchange', follow);
    const ends = [
      () => window.removeEventListener('hashchange', follow),
      this.platform.onEvent((event) => this.#hear(event)),
      this.platform.onLink((connected) => this.#link(connected)),
    ];
    this.#load(this.#route);
    return () => ends.forEach((end) => end());
  }

  /** Sends one request. Throws what the platform throws. */
  async call<R extends Request>(request: R): Promise<ReplyTo<R>> {
    if (this.removal.holds(request)) await this.removal.finish();
    const before = this.#newsCount;
    try {
      return this.#withNews(await this.platform.call(request), before);
    } finally {
      if ('project' in request) delete this.#progress[`${request.project}/${request.request}`];
    }
  }

  /** Tells what happens unasked, after the window's own state has taken it in. */
  onEvent(listener: (event: Event) => void): Unsubscribe {
    return this.platform.onEvent(listener);
  }

  /** What a project is called, as far as it is known here. */
  nameOf(project: string): string | null {
    const known = [this.project?.summary, ...(this.projects.value ?? [])];
    return known.find((one) => one?.id === project)?.name ?? null;
  }

  /** How far a long request about the open project is; `null` when nothing was heard of it. */
  progressOf(request: Request['request'] | 'judge'): Progress | null {
    return (this.project && this.#progress[`${this.project.summary.id}/${request}`]) ?? null;
  }

  /** Shows a page. */
  go(route: Route): void {
    location.hash = writeRoute(route);
    this.#follow(route);
  }

  goHome(): void {
    this.go({ page: 'home' });
  }

  /** Asks for the name of a new project. */
  nameNew(): void {
    this.goHome();
    this.naming = true;
  }

  /** Shows a project that a reply just brought. */
  show(project: Project, step: Place): void {
    this.opening.clear();
    this.opening.value = project;
    this.go({ page: 'project', project: project.summary.id, step });
  }

  /** Shows a step of the open project, or its votes. */
  goToStep(step: Place): void {
    if (this.#route.page === 'project') this.go({ ...this.#route, step });
  }

  async loadProjects(): Promise<void> {
    await this.projects.ask(async () => (await this.call({ request: 'projects' })).projects);
  }

  /** Takes in a project that a reply brought: as the open one if it is, and in the list. */
  take(project: Project): void {
    if (this.#route.page === 'project' && this.#route.project === project.summary.id) {
      // A question that is still under way would bring back what was before.
      this.opening.clear();
      this.opening.value = project;
    }
    if (this.projects.value) this.projects.value = withSummary(this.projects.value, project.summary);
  }

  /** Asks for the open project again, after a request whose reply does not bring it. */
  async refresh(): Promise<void> {
    if (this.#route.page === 'project') await this.#open(this.#route.project);
  }

  #follow(route: Route): void {
    const before = this.#route;
    // The address tells of changes that were made here, too.
    if (writeRoute(before) === writeRoute(route)) return;
    this.#route = route;
    this.toasts.leavePage();
    const same = before.page === 'project' && route.page === 'project' && before.project === route.project;
    if (!same) this.#load(route);
  }

  #load(route: Route): void {
    if (route.page === 'home') {
      this.opening.clear();
      void this.loadProjects();
    } else if (this.project?.summary.id !== route.project) {
      this.opening.clear();
      void this.#open(route.project);
    }
  }

  async #open(project: string): Promise<void> {
    await this.opening.ask(async () => (await this.call({ request: 'project', project })).project);
  }

  /** A reply whose project is brought up to what was told of its runs while the reply was on its way. */
  #withNews<R>(reply: R, before: number): R {
    if (typeof reply !== 'object' || reply === null || !('project' in reply)) return reply;
    const project = reply.project as Project;
    const newer = project.runs.flatMap(({ id }) => {
      const news = this.#news.get(`${project.summary.id}/${id}`);
      return news && news.at > before ? [news.run] : [];
    });
    return newer.length === 0 ? reply : { ...reply, project: newer.reduce(withRun, project) };
  }

  #hear(event: Event): void {
    if (event.event === 'download') this.models.hear(event.download);
    if (event.event === 'progress') this.#progress[`${event.project}/${event.of}`] = event.progress;
    if (event.event !== 'run') return;
    const { project, run } = event;
    this.#news.set(`${project}/${run.id}`, { run, at: ++this.#newsCount });
    if (this.project?.summary.id === project) this.opening.value = withRun(this.project, run);
    const summary = this.projects.value?.find((one) => one.id === project);
    if (summary) this.projects.value = withSummary(this.projects.value!, summaryWithRun(summary, run));
  }

  /** What happened while nothing reached the window is asked for. */
  #link(connected: boolean): void {
    const back = connected && !this.connected;
    this.connected = connected;
    if (!back) return;
    if (this.#route.page === 'home') void this.loadProjects();
    else void this.refresh();
    if (this.models.list.value) void this.models.load();
  }
}

const key = Symbol('app');

/** Hands the state to every component below. */
export function provideApp(app: AppState): void {
  setContext(key, app);
}

/** The state of the app; for components. */
export function useApp(): AppState {
  return getContext<AppState>(key);
}

/** The state as a context, for tests that show a single component. */
export function appContext(app: AppState): Map<symbol, AppState> {
  return new Map([[key, app]]);
}
