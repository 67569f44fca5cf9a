import type { Reward } from '../../contract/Reward';
import type { Scored } from '../../contract/Scored';
import type { AppState } from '../../state/app.svelte';
import { Asked } from '../../state/asked.svelte';
import { isEmpty } from './reward';

/** Milliseconds without a change after which answers are scored again: a slider moves often. */
const pause = 500;

/** Answers with what they got, and the reward that they got it by. */
export interface Tried {
  scored: Scored[];
  reward: Reward;
}

/** What a reward gives real answers, worked out as it changes. */
export class RewardTrial {
  readonly tried = new Asked<Tried>();
  readonly #app: AppState;
  readonly #project: string;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wanted = '';

  constructor(app: AppState, project: string) {
    this.#app = app;
    this.#project = project;
  }

  /** Scores the answers after a pause, unless the reward is the one that was last asked for. */
  want(reward: Reward): void {
    const wanted = JSON.stringify(reward);
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    clearTimeout(this.#timer);
    if (isEmpty(reward)) this.tried.clear();
    else this.#timer = setTimeout(() => void this.ask(reward), pause);
  }

  async ask(reward: Reward): Promise<void> {
    await this.tried.ask(async () => {
      const { scored } = await this.#app.call({ request: 'try_reward', project: this.#project, reward });
      return { scored, reward };
    });
  }

  /** The page is left: what is not asked yet need not be. */
  leave(): void {
    clearTimeout(this.#timer);
  }
}
