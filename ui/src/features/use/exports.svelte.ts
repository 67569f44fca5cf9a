import type { Exported } from '../../contract/Exported';
import type { AppState } from '../../state/app.svelte';
import { Asked } from '../../state/asked.svelte';

/** One way of exporting one run: what was chosen, and what came of it. */
export class TargetDesk {
  /** Options that the person set; the others are as proposed. */
  options = $state.raw<Record<string, unknown>>({});
  /** Where to; beside the run when `null`. */
  folder = $state<string | null>(null);
  readonly exported = new Asked<Exported>();

  set(name: string, value: unknown): void {
    const { [name]: _, ...others } = this.options;
    this.options = value === undefined ? others : { ...others, [name]: value };
  }
}

/** The exports of a window. One is made at a time: each needs the machine for itself. */
export class Exports {
  /** The desk whose export is under way. */
  current = $state.raw<TargetDesk | null>(null);
  readonly #app: AppState;
  readonly #desks = new Map<string, TargetDesk>();

  constructor(app: AppState) {
    this.#app = app;
  }

  desk(project: string, run: string, target: string): TargetDesk {
    const key = `${project}/${run}/${target}`;
    let desk = this.#desks.get(key);
    if (!desk) this.#desks.set(key, (desk = new TargetDesk()));
    return desk;
  }

  async export(project: string, run: string, target: string): Promise<void> {
    if (this.current) return;
    const desk = this.desk(project, run, target);
    const { options, folder } = desk;
    this.current = desk;
    desk.exported.value = null;
    await desk.exported.ask(async () => {
      const { exported } = await this.#app.call({ request: 'export', project, run, target, options, folder });
      return exported;
    });
    this.current = null;
  }
}

// An export goes on, and its result stays, while one looks at something else.
const all = new WeakMap<AppState, Exports>();

/** The exports of this window. */
export function exportsOf(app: AppState): Exports {
  let exports = all.get(app);
  if (!exports) all.set(app, (exports = new Exports(app)));
  return exports;
}
