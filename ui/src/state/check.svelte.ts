import type { DataView } from '../contract/DataView';
import type { Project } from '../contract/Project';
import type { AppState } from './app.svelte';
import { Asked } from './asked.svelte';

/** Changes that follow each other quickly are checked together. */
const patience = 400;

/** What the checks say about the open project's data, made again whenever that changes. */
export class DataCheck {
  readonly view = new Asked<DataView>();
  /** Whether what `view` holds is about the data as they are now. */
  current = $state(false);
  readonly #app: AppState;
  #checked = '';
  #wanted = '';
  #changes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;

  constructor(app: AppState) {
    this.#app = app;
  }

  /** Says that rows were changed in a way that the project does not show. */
  changed(): void {
    this.#changes += 1;
  }

  /** Makes the check for this project unless it was made for the very same data. */
  want(project: Project): void {
    const wanted = this.#stateOf(project);
    if (wanted === this.#wanted) return;
    // What was found about another project says nothing about this one.
    if (!this.#wanted.startsWith(idOf(project))) this.view.clear();
    this.#wanted = wanted;
    this.current = wanted === this.#checked;
    clearTimeout(this.#timer);
    if (this.current || !isCheckable(project)) return;
    this.#timer = setTimeout(() => void this.#run(project.summary.id), patience);
  }

  /** Makes the check again after it went wrong. */
  again(project: Project): void {
    this.#wanted = '';
    this.#checked = '';
    this.want(project);
  }

  /** One check at a time: it reads every row. */
  async #run(project: string): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const about = this.#wanted;
    await this.view.ask(async () => (await this.#app.call({ request: 'check_data', project })).data);
    this.#running = false;
    this.#checked = about;
    this.current = about === this.#wanted;
    const open = this.#app.project;
    if (!this.current && open && isCheckable(open)) await this.#run(open.summary.id);
  }

  #stateOf(project: Project): string {
    const files = project.files.map(({ name, bytes, rows, excluded, edited, mapping }) => [name, bytes, rows, excluded, edited, mapping]);
    return idOf(project) + JSON.stringify([project.base?.model, project.base?.card !== null, files, this.#changes]);
  }
}

function idOf(project: Project): string {
  return `${project.summary.id}/`;
}

function isCheckable(project: Project): boolean {
  return project.files.length > 0 && project.base?.card != null;
}
