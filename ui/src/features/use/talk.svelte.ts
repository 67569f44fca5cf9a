import type { ChatModel } from '../../contract/ChatModel';
import type { Event } from '../../contract/Event';
import type { Message } from '../../contract/Message';
import type { Sampling } from '../../contract/Sampling';
import type { AppState } from '../../state/app.svelte';

/** Who answers: the base model, or what a run made of it. */
export type Side = 'base' | 'run';
export const sides = ['base', 'run'] as const;

/** An answer as it comes. */
export interface Answer {
  text: string;
  state: 'awaited' | 'coming' | 'done' | 'stopped' | 'failed';
  /** Tokens of the answer and seconds that they took, once it is complete. */
  tokens: number;
  seconds: number;
  error: unknown;
  /** Who was asked. */
  model: ChatModel;
}

/** A question with the answers of those who were asked. */
export interface Turn {
  id: number;
  question: string;
  answers: Partial<Record<Side, Answer>>;
}

/** Whom a question goes to. */
export type Asked = Partial<Record<Side, ChatModel>>;

/** As `sanbao_infer::Sampling::default()`. */
export const usualSampling: Sampling = {
  temperature: 0.7,
  top_p: 0.9,
  top_k: 50,
  min_p: 0,
  repetition_penalty: 1,
  max_new_tokens: 512,
  stop: [],
  seed: 0,
};

/** A conversation with one model or two, side by side. */
export class Talk {
  turns = $state<Turn[]>([]);
  sampling = $state.raw<Sampling>(usualSampling);
  readonly #app: AppState;
  readonly #project: string;
  /** Answers that are still told of, by the name that the window gave them. */
  readonly #chats = new Map<string, { turn: number; side: Side }>();
  #count = 0;

  constructor(app: AppState, project: string) {
    this.#app = app;
    this.#project = project;
  }

  get isBusy(): boolean {
    return this.turns.some((turn) => sides.some((side) => isOpen(turn.answers[side])));
  }

  /**
   * Asks a question.
   *
   * @param alone the question stands for itself: what was said before is not told.
   */
  async ask(question: string, asked: Asked, alone: boolean): Promise<void> {
    const turn: Turn = { id: ++this.#count, question, answers: {} };
    for (const side of sides) if (asked[side]) turn.answers[side] = awaited(asked[side]);
    this.turns.push(turn);
    await Promise.all(sides.map((side) => (asked[side] ? this.#put(turn.id, side, alone) : undefined)));
  }

  /** Asks a model once more that could not answer. */
  async again(turn: number, side: Side, alone: boolean): Promise<void> {
    const { answers } = this.#turn(turn)!;
    answers[side] = awaited(answers[side]!.model);
    await this.#put(turn, side, alone);
  }

  /** Ends the answers that are coming. */
  async stop(): Promise<void> {
    const open = [...this.#chats].filter(([, { turn, side }]) => isOpen(this.#answer(turn, side)));
    for (const [, { turn, side }] of open) this.#answer(turn, side)!.state = 'stopped';
    const ends = open.map(([chat]) => this.#app.call({ request: 'stop_chat', chat }));
    await Promise.all(ends).catch((error: unknown) => this.#app.toasts.fault(error));
  }

  /** Begins anew. */
  async clear(): Promise<void> {
    await this.stop();
    this.#chats.clear();
    this.turns = [];
  }

  hear(event: Event): void {
    if (event.event !== 'chat_piece' && event.event !== 'chat_ended') return;
    const place = this.#chats.get(event.chat);
    const answer = place && this.#answer(place.turn, place.side);
    if (!answer) return;
    if (event.event === 'chat_piece') {
      if (answer.state === 'awaited') answer.state = 'coming';
      if (isOpen(answer)) answer.text += event.text;
      return;
    }
    this.#chats.delete(event.chat);
    answer.tokens = event.tokens;
    answer.seconds = event.seconds;
    answer.error = event.fault;
    if (isOpen(answer)) answer.state = event.fault ? 'failed' : 'done';
  }

  async #put(turn: number, side: Side, alone: boolean): Promise<void> {
    const chat = `${this.#project}-${side}-${Date.now().toString(36)}-${turn}`;
    const { model } = this.#answer(turn, side)!;
    const messages = this.#history(turn, side, alone);
    // The first words may come before the reply.
    this.#chats.set(chat, { turn, side });
    try {
      const { sampling } = this;
      await this.#app.call({ request: 'chat', chat, project: this.#project, model, messages, sampling });
    } catch (error) {
      this.#chats.delete(chat);
      const answer = this.#answer(turn, side);
      if (!answer) return;
      answer.error = error;
      answer.state = 'failed';
    }
  }

  /** What one model is told: its own conversation up to this question. */
  #history(turn: number, side: Side, alone: boolean): Message[] {
    const before = alone ? [] : this.turns.filter((other) => other.id < turn);
    const said = before.flatMap(({ question, answers }) => {
      const answer = answers[side];
      if (!answer || answer.text === '') return [];
      return [
        { role: 'user', content: question },
        { role: 'assistant', content: answer.text },
      ];
    });
    return [...said, { role: 'user', content: this.#turn(turn)!.question }];
  }

  #turn(id: number): Turn | undefined {
    return this.turns.find((turn) => turn.id === id);
  }

  #answer(turn: number, side: Side): Answer | undefined {
    return this.#turn(turn)?.answers[side];
  }
}

function awaited(model: ChatModel): Answer {
  return { text: '', state: 'awaited', tokens: 0, seconds: 0, error: null, model };
}

function isOpen(answer: Answer | undefined): boolean {
  return answer?.state === 'awaited' || answer?.state === 'coming';
}

// Conversations outlive the step's page: answers go on coming while one looks at something else.
const talks = new WeakMap<AppState, Map<string, Talk>>();

/** The conversation of a project. */
export function talkOf(app: AppState, project: string): Talk {
  let all = talks.get(app);
  if (!all) {
    const made = new Map<string, Talk>();
    talks.set(app, (all = made));
    app.onEvent((event) => made.forEach((talk) => talk.hear(event)));
  }
  let talk = all.get(project);
  if (!talk) all.set(project, (talk = new Talk(app, project)));
  return talk;
}
