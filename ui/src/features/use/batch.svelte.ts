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
  /** What is asked; empty where the only column is. */
  template = $state('');
  /** The answer that a reward model scores. */
  answer = $state('');
  /** Names of the file's columns, once a refusal told them. */
  columns = $state.raw<string[]>([]);
  who = $state<'run' | 'base'>('run');
  sampling = $state.raw<Sampling>(usualSampling);
  isStopping = $state(false);
  wasStopped = $state(false);
  /** It was refused only because nobody said what is asked, or which is the answer. */
  needsQuestion = $state(false);
  readonly answered = new Asked<Answered>();
  /** When the first answer was heard of, and how many there were: what is left is told by that pace. */
  #since: { at: number; done: number } | null = null;
  readonly #app: AppState;
  readonly #project: string;

  constructor(app: AppState, project: string) {
    this.#app = app;
    this.#project = project;
  }

  /** Takes another file. */
  take(path: string): void {
    if (this.answered.waiting) return;
    this.path = path;
    this.template = '';
    this.answer = '';
    this.columns = [];
    this.wasStopped = false;
    this.needsQuestion = false;
    this.answered.clear();
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
    this.needsQuestion = false;
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
    if (fault) this.columns = columnsIn(fault.params) ?? this.columns;
    this.needsQuestion = (prompt === null || (isScored && answer === null)) && this.columns.length > 1;
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

/** The columns that a refusal names, as a list separated by commas. */
export function columnsIn(params: { [name in string]?: string }): string[] | null {
  const columns = (params.columns ?? '').split(/,\s*/).filter((column) => column !== '');
  return columns.length > 0 ? columns : null;
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
