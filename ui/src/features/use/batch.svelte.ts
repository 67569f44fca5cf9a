import type { ChatModel } from '../../contract/ChatModel';
import type { Progress } from '../../contract/Progress';
import type { RunSummary } from '../../contract/RunSummary';
import type { Sampling } from '../../contract/Sampling';
import { faultOf } from '../../messages/faults';
import type { AppState } from '../../state/app.svelte';
import { Asked } from '../../state/asked.svelte';
import { usualSampling } from './talk.svelte';
import { scores } from './words';

/** A file that was answered. */
export interface Answered {
  path: string;
  rows: number;
}

/** A file whose rows are answered, or whose answers are scored: what was chosen, how far it is, what came of it. */
export class FileBatch {
  path = $state<string | null>(null);
  /** What is asked. */
  template = $state('');
  /** The answer that a reward model scores. */
  answer = $state('');
  who = $state<'run' | 'base'>('run');
  sampling = $state.raw<Sampling>(usualSampling);
  isStopping = $state(false);
  wasStopped = $state(false);
  /** Names of the file's columns. */
  readonly columns = new Asked<string[]>();
  readonly answered = new Asked<Answered>();
  /** When the first answer was heard of, and how many there were: what is left is told by that pace. */
  #since: { at: number; done: number } | null = null;
  readonly #app: AppState;
  readonly #project: string;

  constructor(app: AppState, project: string) {
    this.#app = app;
    this.#project = project;
  }

  /** Takes another file, and proposes what is asked. */
  async take(path: string, run: RunSummary): Promise<void> {
    if (this.answered.waiting) return;
    this.path = path;
    this.template = '';
    this.answer = '';
    this.wasStopped = false;
    this.answered.clear();
    this.columns.clear();
    const model: ChatModel = { kind: 'run', run: run.id, epoch: null };
    await this.columns.ask(async () => {
      const { columns, prompt, answer } = await this.#app.call({ request: 'look_at_file', project: this.#project, model, path });
      if (this.path === path) [this.template, this.answer] = [prompt ?? '', answer ?? ''];
      return columns;
    });
  }

  async begin(run: RunSummary): Promise<void> {
    const { path } = this;
    if (path === null) return;
    const isScored = scores(run);
    const model: ChatModel = this.who === 'base' && !isScored ? { kind: 'base' } : { kind: 'run', run: run.id, epoch: null };
    const prompt = given(this.template);
    const answer = isScored ? given(this.answer) : null;
    const { sampling } = this;
    this.#since = null;
    this.isStopping = false;
    this.wasStopped = false;
    this.answered.value = null;
    await this.answered.ask(async () => {
      const reply = await this.#app.call({ request: 'answer_file', project: this.#project, model, path, prompt, answer, sampling, out: null });
      return { path: reply.path, rows: reply.rows };
    });
    const fault = faultOf(this.answered.error);
    // A stop that was wished for is nothing that went wrong.
    if (fault && this.isStopping) {
      this.answered.clear();
      this.wasStopped = true;
    }
    this.isStopping = false;
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    try {
      await this.#app.call({ request: 'stop_answer_file', project: this.#project });
    } catch (error) {
      this.isStopping = false;
      this.#app.toasts.fault(error);
    }
  }

  /** Seconds that are left at the pace so far; `null` until there is a pace. */
  secondsLeft({ done, total, stage }: Progress, now: number): number | null {
    if (!['answering', 'scoring'].includes(stage) || done === 0) return null;
    this.#since ??= { at: now, done };
    const { at, done: first } = this.#since;
    if (done <= first || now <= at) return null;
    return ((total - done) * (now - at)) / (done - first) / 1000;
  }
}

function given(template: string): string | null {
  return template.trim() === '' ? null : template;
}

// Answering goes on, and its result stays, while one looks at something else.
const all = new WeakMap<AppState, Map<string, FileBatch>>();

/** The file that a project's models answer. */
export function batchOf(app: AppState, project: string): FileBatch {
  let batches = all.get(app);
  if (!batches) all.set(app, (batches = new Map()));
  let batch = batches.get(project);
  if (!batch) batches.set(project, (batch = new FileBatch(app, project)));
  return batch;
}
