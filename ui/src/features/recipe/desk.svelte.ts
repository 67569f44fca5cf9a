import type { DeviceReport } from '../../contract/DeviceReport';
import type { ParameterInfo } from '../../contract/ParameterInfo';
import type { Plan } from '../../contract/Plan';
import type { RecipeChoice } from '../../contract/RecipeChoice';
import type { RecipeInfo } from '../../contract/RecipeInfo';
import type { Reward } from '../../contract/Reward';
import type { RunSummary } from '../../contract/RunSummary';
import type { AppState } from '../../state/app.svelte';
import { Asked } from '../../state/asked.svelte';
import { isEmpty } from './reward';

/** Milliseconds without a change after which the plan is asked for: someone may still be typing. */
const pause = 400;

interface Recipes {
  all: RecipeInfo[];
  recommended: string;
}

/** What is chosen for the next run, saved as it changes, and the plan that follows from it. */
export class RecipeDesk {
  readonly recipes = new Asked<Recipes>();
  readonly devices = new Asked<DeviceReport[]>();
  readonly plan = new Asked<Plan | null>();
  choice = $state.raw<RecipeChoice>({ recipe: null, dial: 'balanced', device: null, chosen: {}, reward: null });
  /** The plan on the screen is that of an earlier choice. */
  isStale = $state(false);
  readonly #app: AppState;
  readonly #project: string;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(app: AppState, project: string, choice: RecipeChoice) {
    this.#app = app;
    this.#project = project;
    this.choice = choice;
  }

  /** Asks for everything that the step shows. */
  load(): void {
    const project = this.#project;
    const recipes = this.recipes.ask(async () => {
      const { recipes, recommended } = await this.#app.call({ request: 'recipes', project });
      return { all: recipes, recommended };
    });
    void this.devices.ask(async () => (await this.#app.call({ request: 'devices' })).devices);
    // A recipe that needs a reward and has none would only be refused.
    void recipes.then(() => this.askPlan());
  }

  /** The recipe that the next run follows; `null` until the recipes are here. */
  get recipe(): RecipeInfo | null {
    const { all, recommended } = this.recipes.value ?? { all: [], recommended: '' };
    return all.find((recipe) => recipe.name === (this.choice.recipe ?? recommended)) ?? null;
  }

  /** Whether the recipe learns from a reward and nothing is rewarded yet: there is nothing to plan. */
  get lacksReward(): boolean {
    return (this.recipe?.needs_reward ?? false) && isEmpty(this.choice.reward);
  }

  /** Rewards something else. */
  rewardBy(reward: Reward): void {
    this.change({ reward });
  }

  /** Changes the choice; the plan follows after a pause. */
  change(part: Partial<RecipeChoice>): void {
    this.choice = { ...this.choice, ...part };
    this.isStale = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.askPlan(), pause);
  }

  /** Follows another recipe. Settings that it does not have are let go: Rust would refuse them. */
  follow(recipe: RecipeInfo): void {
    const known = (name: string) => recipe.parameters.some((one: ParameterInfo) => one.name === name);
    const chosen = Object.fromEntries(Object.entries(this.choice.chosen).filter(([name]) => known(name)));
    this.change({ recipe: recipe.name, chosen });
  }

  set(name: string, value: unknown): void {
    this.change({ chosen: { ...this.choice.chosen, [name]: value } });
  }

  reset(name: string): void {
    const { [name]: _, ...chosen } = this.choice.chosen;
    this.change({ chosen });
  }

  resetAll(): void {
    this.change({ chosen: {} });
  }

  /** Saves the choice and asks what follows from it. */
  async askPlan(): Promise<void> {
    const asked = this.choice;
    await this.plan.ask(async () => {
      await this.save();
      if (this.lacksReward) return null;
      return (await this.#app.call({ request: 'plan', project: this.#project })).plan;
    });
    if (asked === this.choice) this.isStale = false;
  }

  /** Saves the choice, if it is not saved yet. */
  async save(): Promise<void> {
    clearTimeout(this.#timer);
    const project = this.#app.project;
    const { choice } = this;
    if (project?.summary.id !== this.#project || isSame(project.recipe, choice)) return;
    await this.#app.call({ request: 'set_recipe', project: this.#project, choice });
    const now = this.#app.project;
    if (now?.summary.id === this.#project) this.#app.take({ ...now, recipe: choice });
  }

  /** Starts the run that is planned. */
  async start(): Promise<RunSummary> {
    await this.save();
    const { run } = await this.#app.call({ request: 'start_run', project: this.#project });
    return run;
  }
}

function isSame(one: RecipeChoice, other: RecipeChoice): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
