import type { Row } from '../../contract/Row';
import { message } from '../../messages/messages.svelte';
import { count } from '../../messages/numbers';
import type { AppState } from '../../state/app.svelte';

/** Something that was done to rows and can be taken back. */
interface Change {
  kind: 'excluded' | 'included' | 'edited';
  /** How many rows it concerned. */
  rows: number;
  undo: () => Promise<unknown>;
}

/** What a person does to the rows of a project's files, and takes back. */
export class Changes {
  /** How often rows were changed: whoever shows rows asks for them again. */
  revision = $state(0);
  /** What can be taken back, the latest last. */
  #done = $state.raw<readonly Change[]>([]);
  /** The toast that offers to take back the last change; once there are later ones no other may. */
  #told = 0;
  readonly #app: AppState;
  readonly #project: string;

  constructor(app: AppState, project: string) {
    this.#app = app;
    this.#project = project;
  }

  get last(): Change | null {
    return this.#done.at(-1) ?? null;
  }

  /** What was done last, in words. */
  get words(): string | null {
    return this.last && message(`data_did_${this.last.kind}`, { n: count(this.last.rows) });
  }

  /** Leaves rows out or takes them in; rows that are so already stay out of it. */
  async exclude(file: string, rows: readonly Row[], excluded: boolean): Promise<void> {
    const numbers = rows.filter((row) => row.excluded !== excluded).map((row) => row.row);
    if (numbers.length === 0) return;
    const ask = (value: boolean) =>
      this.#app.call({ request: 'exclude_rows', project: this.#project, file, rows: numbers, excluded: value });
    await this.#do({ kind: excluded ? 'excluded' : 'included', rows: numbers.length, undo: () => ask(!excluded) }, () => ask(excluded));
  }

  /** Gives a row other values; those of the file when `null`. */
  async edit(file: string, { row, values: before, edited }: Row, values: string[] | null): Promise<void> {
    const ask = (value: string[] | null) =>
      this.#app.call({ request: 'edit_row', project: this.#project, file, row, values: value });
    await this.#do({ kind: 'edited', rows: 1, undo: () => ask(edited ? before : null) }, () => ask(values));
  }

  /** Takes back the last change. Never throws: what went wrong is told at the edge of the window. */
  async undo(): Promise<void> {
    const change = this.last;
    if (!change) return;
    this.leave();
    try {
      await change.undo();
      this.#done = this.#done.slice(0, -1);
      await this.#show();
    } catch (error) {
      this.#app.toasts.fault(error);
    }
  }

  /** Closes the offer to take back what can no longer be seen. */
  leave(): void {
    this.#app.toasts.close(this.#told);
  }

  async #do(change: Change, work: () => Promise<unknown>): Promise<void> {
    await work();
    this.#done = [...this.#done, change];
    this.leave();
    const undo = { label: message('undo'), run: () => void this.undo() };
    this.#told = this.#app.toasts.show(this.words ?? '', { action: undo });
    await this.#show();
  }

  async #show(): Promise<void> {
    this.revision += 1;
    this.#app.check.changed();
    await this.#app.refresh();
  }
}
