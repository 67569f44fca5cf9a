import type { Event } from '../../contract/Event';
import type { RunMetrics } from '../../contract/RunMetrics';
import type { StepMetrics } from '../../contract/StepMetrics';
import type { AppState } from '../../state/app.svelte';
import { Asked } from '../../state/asked.svelte';
import {
  hasGaps,
  joinedSteps,
  withEntry,
  withRemembered,
  withStep,
  withValidation,
  type Entry,
  type Happened,
  type Reference,
} from './fold';

/** What was measured in one run: fetched once, then continued by what is told. */
export class RunPage {
  readonly asked = new Asked<StepMetrics[]>();
  log = $state.raw<Entry[]>([]);
  /** The base model is asked for its opinion of the rows; over when steps come. */
  reference = $state.raw<Reference | null>(null);
  /** Told while the steps before are on their way. */
  #heard: StepMetrics[] = [];
  readonly #fetch: () => Promise<RunMetrics>;

  constructor(fetch: () => Promise<RunMetrics>) {
    this.#fetch = fetch;
  }

  get steps(): readonly StepMetrics[] {
    return this.asked.value ?? [];
  }

  get last(): StepMetrics | null {
    return this.steps.at(-1) ?? null;
  }

  /** Fetches the steps unless they are there, on their way, or could not be had. */
  load(): void {
    const { value, waiting, error } = this.asked;
    if (value === null && !waiting && error === null) void this.fetch();
  }

  /** Fetches the steps again. */
  async fetch(): Promise<void> {
    this.#heard = [];
    await this.asked.ask(async () => {
      const { steps, events } = await this.#fetch();
      this.log = withRemembered(this.log, events);
      return joinedSteps(steps, this.#heard);
    });
  }

  hearStep(step: StepMetrics): void {
    this.reference = null;
    if (this.asked.waiting) this.#heard = withStep(this.#heard, step);
    if (this.asked.value) this.asked.value = withStep(this.asked.value, step);
  }

  hear(happened: Happened): void {
    this.log = withEntry(this.log, { at: Date.now(), happened });
    if (happened.event !== 'validation') return;
    const { step, loss } = happened;
    this.#heard = withValidation(this.#heard, step, loss);
    if (this.asked.value) this.asked.value = withValidation(this.asked.value, step, loss);
  }

  /** Training has paused or ended: the steps that were not told are fetched. */
  settle(): void {
    if (this.asked.value && hasGaps(this.asked.value)) void this.fetch();
  }
}

/** The pages of all runs that were looked at or heard of. */
export class RunBook {
  readonly #app: AppState;
  readonly #pages = new Map<string, RunPage>();

  constructor(app: AppState) {
    this.#app = app;
    app.onEvent((event) => this.#hear(event));
  }

  page(project: string, run: string): RunPage {
    const key = `${project}/${run}`;
    let page = this.#pages.get(key);
    if (!page) {
      page = new RunPage(async () => {
        const { metrics } = await this.#app.call({ request: 'run_metrics', project, run });
        return metrics;
      });
      this.#pages.set(key, page);
    }
    return page;
  }

  /** Forgets a run that was deleted: its name may be given again. */
  forget(project: string, run: string): void {
    this.#pages.delete(`${project}/${run}`);
  }

  #hear(event: Event): void {
    if (event.event === 'training') {
      const page = this.page(event.project, event.run);
      const { happened } = event;
      if (happened.event === 'step') page.hearStep(happened);
      else if (happened.event === 'reference') page.reference = happened;
      else page.hear(happened);
    } else if (event.event === 'run' && event.run.state !== 'training') {
      this.page(event.project, event.run.id).settle();
    }
  }
}

// It outlives the step's page, so that the log and the curves are there when one comes back.
const books = new WeakMap<AppState, RunBook>();

/** The book of this window. */
export function runBook(app: AppState): RunBook {
  let book = books.get(app);
  if (!book) books.set(app, (book = new RunBook(app)));
  return book;
}
