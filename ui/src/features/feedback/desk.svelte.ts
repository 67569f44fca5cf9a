import type { Ballot } from '../../contract/Ballot';
import type { ChatModel } from '../../contract/ChatModel';
import type { Choice } from '../../contract/Choice';
import type { Event } from '../../contract/Event';
import type { Fault } from '../../contract/Fault';
import type { FeedbackForm } from '../../contract/FeedbackForm';
import type { FeedbackStats } from '../../contract/FeedbackStats';
import type { Sampling } from '../../contract/Sampling';
import type { AppState } from '../../state/app.svelte';
import { Asked } from '../../state/asked.svelte';
import type { Mode } from './keys';
import { peopleOf, type Person } from './people';

/** So many ballots are fetched ahead of the vote: a person does not get through them unnoticed. */
const ahead = 20;
/** So many votes are shown at first, and added at each wish for more. */
const page = 50;
/** As many ballots as are given at once. */
const most = 500;

/** Ballots that wait, and what the votes say. */
interface Standing {
  waiting: Ballot[];
  stats: FeedbackStats;
}

/** The votes of a project. */
export class FeedbackDesk {
  readonly standing = new Asked<Standing>();
  /** Every ballot that has its vote. */
  readonly voted = new Asked<Ballot[]>();
  /** Whose votes are listed; everybody's when `null`. */
  rater = $state<string | null>(null);
  /** Ballots whose answers are still being written. */
  writing = $state(0);
  /** Why writing answers ended. */
  fault = $state.raw<Fault | null>(null);
  /** Why the last vote was not taken. */
  error = $state.raw<unknown>(null);
  /** The last vote that was taken, with the names of the authors. */
  last = $state.raw<Ballot | null>(null);
  mode = $state<Mode>('best');
  /** Names of authors that were told, by run; the base model under `null`. */
  names = $state.raw<ReadonlyMap<string | null, string>>(new Map());
  readonly #app: AppState;
  readonly #project: string;
  /** Votes on their way, and those that the standing does not know yet: their ballots are not shown again meanwhile. */
  #sent = $state.raw<number[]>([]);
  /** A ballot whose vote was taken back comes before the others. */
  #first = $state.raw<Ballot | null>(null);
  /** Ballots in the order of their votes, to take them back. */
  #history = $state.raw<number[]>([]);
  #shown = $state(page);
  /** The last vote on its way. */
  #sending: Promise<unknown> = Promise.resolve();
  /** The question for the standing that is under way, and the one that follows it. */
  #asking: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(app: AppState, project: string) {
    this.#app = app;
    this.#project = project;
  }

  /** The ballot to vote on; `null` when none waits. */
  get current(): Ballot | null {
    const waiting = this.standing.value?.waiting ?? [];
    const known = this.#first ? [this.#first, ...waiting] : waiting;
    return known.find(({ id }) => !this.#sent.includes(id)) ?? null;
  }

  get stats(): FeedbackStats | null {
    return this.standing.value?.stats ?? null;
  }

  /** Ballots with a vote or skipped, those on their way among them. */
  get done(): number {
    if (!this.standing.value) return 0;
    const { waiting, stats } = this.standing.value;
    return stats.votes + stats.skipped + waiting.filter(({ id }) => this.#sent.includes(id)).length;
  }

  /** All ballots, those to be written among them. */
  get total(): number {
    return (this.stats?.ballots ?? 0) + this.writing;
  }

  get canUndo(): boolean {
    return this.#history.length > 0;
  }

  /** Asks which ballots wait, and what the votes say; done when everything before the call is told. */
  load(): Promise<void> {
    // What is under way may have been looked up before the vote that now asks.
    this.#next ??= this.#asking.then(() => {
      this.#next = null;
      return (this.#asking = this.#ask());
    });
    return this.#next;
  }

  async #ask(): Promise<void> {
    await this.standing.ask(async () => {
      const request = { request: 'feedback', project: this.#project, filter: 'open', offset: 0, limit: ahead } as const;
      const { ballots, stats, writing } = await this.#app.call(request);
      this.writing = writing;
      return { waiting: ballots, stats };
    });
  }

  /** Who voted, and how often, as far as the votes were asked for. */
  get people(): Person[] {
    return peopleOf(this.voted.value ?? []);
  }

  /** The votes to list, the first ones, and how many there are. */
  get listed(): { ballots: Ballot[]; total: number } {
    const all = this.voted.value ?? [];
    const isKnown = this.people.some(({ rater }) => rater === this.rater);
    const found = isKnown ? all.filter(({ vote }) => vote?.rater === this.rater) : all;
    return { ballots: found.slice(0, this.#shown), total: found.length };
  }

  /** Asks for the ballots that have their vote. */
  async loadVoted(): Promise<void> {
    await this.voted.ask(async () => {
      const found: Ballot[] = [];
      for (;;) {
        const request = { request: 'feedback', project: this.#project, filter: 'voted', offset: found.length, limit: most } as const;
        const { ballots, total } = await this.#app.call(request);
        found.push(...ballots);
        this.#learnNames(ballots);
        if (ballots.length === 0 || found.length >= total) return found;
      }
    });
  }

  /** Looks in the votes for the names of authors, given by run, as long as they are not all known. */
  async loadNames(runs: readonly (string | null)[]): Promise<void> {
    for (let offset = 0; !runs.every((run) => this.names.has(run)); ) {
      const request = { request: 'feedback', project: this.#project, filter: 'voted', offset, limit: most } as const;
      const { ballots, total } = await this.#app.call(request);
      this.#learnNames(ballots);
      offset += ballots.length;
      if (ballots.length === 0 || offset >= total) return;
    }
  }

  showMore(): void {
    this.#shown += page;
  }

  /** Has questions answered for ballots. */
  async add(prompts: string[], authors: ChatModel[], sampling: Sampling): Promise<void> {
    this.fault = null;
    await this.#app.call({ request: 'add_ballots', project: this.#project, prompts, authors, sampling });
    await this.load();
  }

  async stop(): Promise<void> {
    await this.#app.call({ request: 'stop_ballots', project: this.#project });
  }

  /** Votes on the current ballot. The next one is shown at once. */
  async vote(choice: Choice, seconds: number): Promise<void> {
    const ballot = this.current;
    if (!ballot) return;
    this.#history = [...this.#history, ballot.id];
    const sending = this.#send(ballot.id, choice, seconds);
    this.#sending = sending;
    const taken = await sending;
    this.last = taken ?? this.last;
    if (!taken) this.#history = this.#history.filter((id) => id !== ballot.id);
  }

  /** Takes the last vote back and shows its ballot again. */
  async undo(): Promise<void> {
    // A vote that is on its way cannot be overtaken.
    await this.#sending;
    const id = this.#history.at(-1);
    if (id === undefined) return;
    this.#history = this.#history.slice(0, -1);
    await this.takeBack(id);
  }

  /** Takes a vote back: its ballot is the next to vote on. */
  async takeBack(id: number): Promise<void> {
    await this.#send(id, null, 0);
    if (this.last?.id === id) this.last = null;
  }

  async remove(id: number): Promise<void> {
    await this.#app.call({ request: 'delete_ballot', project: this.#project, ballot: id });
    this.#history = this.#history.filter((other) => other !== id);
    if (this.#first?.id === id) this.#first = null;
    if (this.voted.value) this.voted.value = this.voted.value.filter((ballot) => ballot.id !== id);
    await this.load();
  }

  /** Puts the votes into the project's data. */
  async use(form: FeedbackForm): Promise<void> {
    this.#app.take((await this.#app.call({ request: 'use_feedback', project: this.#project, form })).project);
  }

  /** Writes the votes to a file; tells how many rows it has. */
  async export(form: FeedbackForm | null, path: string): Promise<number> {
    return (await this.#app.call({ request: 'export_feedback', project: this.#project, form, path })).rows;
  }

  /** Takes in ballots of a file; tells how many were new. */
  async import(path: string, rater: string): Promise<number> {
    const { added } = await this.#app.call({ request: 'import_feedback', project: this.#project, path, rater });
    await Promise.all([this.load(), this.loadVoted()]);
    return added;
  }

  hear(event: Event): void {
    if (event.event !== 'ballots' || event.project !== this.#project) return;
    this.writing = event.writing;
    if (event.fault) this.fault = event.fault;
    // Where nobody has looked yet there is nothing to keep up to date.
    if (this.standing.value) void this.load();
  }

  async #send(id: number, choice: Choice | null, seconds: number): Promise<Ballot | null> {
    this.error = null;
    this.#sent = [...this.#sent, id];
    try {
      const { ballot } = await this.#app.call({ request: 'vote', project: this.#project, ballot: id, choice, seconds });
      this.#learnNames([ballot]);
      if (choice === null) this.#first = ballot;
      else if (this.#first?.id === id) this.#first = null;
      this.#keep(ballot);
      await this.load();
      return ballot;
    } catch (error) {
      this.error = error;
      return null;
    } finally {
      this.#sent = this.#sent.filter((other) => other !== id);
    }
  }

  /** Puts a ballot among those with a vote, or takes it from them: asking for all anew would be asking for much. */
  #keep(ballot: Ballot): void {
    if (!this.voted.value) return;
    const others = this.voted.value.filter(({ id }) => id !== ballot.id);
    this.voted.value = ballot.vote ? [...others, ballot].sort((one, other) => one.id - other.id) : others;
  }

  #learnNames(ballots: readonly Ballot[]): void {
    const told = ballots.flatMap(({ answers }) => answers.flatMap(({ author }) => author ?? []));
    const isNew = told.some(({ run, name }) => this.names.get(run) !== name);
    if (isNew) this.names = new Map([...this.names, ...told.map(({ run, name }) => [run, name] as const)]);
  }
}

// What is on its way goes on, and can still be taken back, while one looks at something else.
const desks = new WeakMap<AppState, Map<string, FeedbackDesk>>();

/** The votes of a project, in this window. */
export function feedbackOf(app: AppState, project: string): FeedbackDesk {
  let all = desks.get(app);
  if (!all) {
    const made = new Map<string, FeedbackDesk>();
    desks.set(app, (all = made));
    app.onEvent((event) => made.forEach((desk) => desk.hear(event)));
  }
  let desk = all.get(project);
  if (!desk) all.set(project, (desk = new FeedbackDesk(app, project)));
  return desk;
}
