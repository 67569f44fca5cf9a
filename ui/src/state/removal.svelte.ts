import type { Request } from '../contract/Request';
import { message } from '../messages/messages.svelte';
import type { AppState } from './app.svelte';
import { actionStays } from './toasts.svelte';

/**
 * What a person asks of all data of a project, and what would be of use no more: by then a removal is done. What is
 * asked unbidden, as the checks are, does not take the time to undo away.
 */
const wants: ReadonlySet<Request['request']> = new Set([
  'add_files',
  'add_sample',
  'add_text',
  'delete_project',
  'duplicate_project',
  'feedback_prompts',
  'plan',
  'recipes',
  'start_run',
  'try_reward',
  'use_feedback',
]);

/** A file on its way out of a project. */
interface Leaving {
  project: string;
  file: string;
  toast: number;
  timer: ReturnType<typeof setTimeout>;
}

/**
 * Takes a file out of a project, once it is too late to undo that: a file that is removed cannot be brought back, with
 * what was changed and left out in it. Until then it is there as ever, and a window that closes leaves it there.
 */
export class Removal {
  #leaving = $state.raw<Leaving | null>(null);
  /** The removal on its way to Rust. */
  #finishing: Promise<void> | null = null;
  readonly #app: AppState;

  constructor(app: AppState) {
    this.#app = app;
  }

  /** The file of a project that is about to be removed; `null` when none is. */
  fileOf(project: string): string | null {
    return this.#leaving?.project === project ? this.#leaving.file : null;
  }

  /** Removes a file when the time to undo is over. One at a time: an earlier one is removed now. */
  async begin(project: string, file: string): Promise<void> {
    await this.finish();
    const undo = { label: message('undo'), run: () => this.undo() };
    const toast = this.#app.toasts.show(message('data_removed', { name: file }), { action: undo });
    const timer = setTimeout(() => void this.finish(), 1000 * actionStays);
    this.#leaving = { project, file, toast, timer };
  }

  /** Leaves the file where it is. */
  undo(): void {
    this.#end();
  }

  /** Removes the file now. Never throws: what went wrong is told at the edge of the window. */
  async finish(): Promise<void> {
    const leaving = this.#end();
    if (leaving) this.#finishing = this.#remove(leaving).finally(() => (this.#finishing = null));
    await this.#finishing;
  }

  /** Whether a request has to wait for the removal, to find the data as the person does. */
  holds({ request }: Request): boolean {
    return wants.has(request) && (this.#leaving !== null || this.#finishing !== null);
  }

  #end(): Leaving | null {
    const leaving = this.#leaving;
    if (!leaving) return null;
    clearTimeout(leaving.timer);
    this.#app.toasts.close(leaving.toast);
    this.#leaving = null;
    return leaving;
  }

  async #remove({ project, file }: Leaving): Promise<void> {
    try {
      this.#app.take((await this.#app.call({ request: 'remove_file', project, file })).project);
    } catch (error) {
      this.#app.toasts.fault(error);
    }
  }
}
