import type { Examined } from '../../contract/Examined';
import type { AppState } from '../../state/app.svelte';
import { Asked } from '../../state/asked.svelte';

/** How a run's reward model is examined: what is known of it, and whether more is being found out. */
export class Examination {
  /** What was found when it was last examined; `examined` is `null` when it never was. */
  readonly known = new Asked<{ examined: Examined | null }>();
  /** The examination that is under way, and what went wrong with it. */
  readonly begun = new Asked<Examined>();
  isStopping = $state(false);
  readonly #app: AppState;
  readonly #about: { project: string; run: string };

  constructor(app: AppState, project: string, run: string) {
    this.#app = app;
    this.#about = { project, run };
  }

  /** Asks what was found before. */
  async look(): Promise<void> {
    await this.known.ask(() => this.#app.call({ request: 'reward_examined', ...this.#about }));
  }

  async begin(): Promise<void> {
    this.isStopping = false;
    const found = await this.begun.ask(
      async () => (await this.#app.call({ request: 'examine_reward', ...this.#about })).examined,
    );
    if (found) {
      this.known.clear();
      this.known.value = { examined: found };
    } else if (this.isStopping) {
      // A stop that was wished for is nothing that went wrong.
      this.begun.clear();
    }
    this.isStopping = false;
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    try {
      await this.#app.call({ request: 'stop_examine_reward', ...this.#about });
    } catch (error) {
      this.isStopping = false;
      this.#app.toasts.fault(error);
    }
  }
}

// An examination goes on while one looks at something else.
const all = new WeakMap<AppState, Map<string, Examination>>();

/** The examination of a run's reward model. */
export function examinationOf(app: AppState, project: string, run: string): Examination {
  let examinations = all.get(app);
  if (!examinations) all.set(app, (examinations = new Map()));
  const key = `${project}/${run}`;
  let examination = examinations.get(key);
  if (!examination) examinations.set(key, (examination = new Examination(app, project, run)));
  return examination;
}
