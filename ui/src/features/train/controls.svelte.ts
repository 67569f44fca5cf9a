import type { RunState } from '../../contract/RunState';
import type { RunSummary } from '../../contract/RunSummary';
import type { AppState } from '../../state/app.svelte';
import { runBook } from './book.svelte';

/** What a person can ask of a run. */
export type Wish = 'stop_run' | 'finish_run' | 'resume_run' | 'delete_run';

/** Wishes about runs: which is under way, and what became of the last. */
export class RunControls {
  error = $state.raw<unknown>(null);
  readonly #app: AppState;
  #asked = $state.raw<{ run: string; wish: Wish; state: RunState } | null>(null);

  constructor(app: AppState) {
    this.#app = app;
  }

  /** Whether a wish was made and the run has not moved since: a checkpoint takes its time. */
  isUnderWay(run: RunSummary, wish: Wish): boolean {
    const asked = this.#asked;
    return asked?.run === run.id && asked.wish === wish && asked.state === run.state;
  }

  async ask(wish: Wish, project: string, run: RunSummary): Promise<void> {
    this.error = null;
    this.#asked = { run: run.id, wish, state: run.state };
    try {
      await this.#app.call({ request: wish, project, run: run.id });
      if (wish === 'delete_run') {
        runBook(this.#app).forget(project, run.id);
        await this.#app.refresh();
      }
    } catch (error) {
      this.error = error;
      this.#asked = null;
    }
  }
}
