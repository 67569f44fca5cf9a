import type { Event } from '../contract/Event';
import type { Reply } from '../contract/Reply';
import type { Request } from '../contract/Request';
import { Listeners } from './listeners';
import { replyTo, thrown, type DropListener, type Platform, type ReplyTo } from './platform';

/** What the fake answers, by request; a thrown fault is a refusal. */
export type Answers = {
  [Name in Request['request']]?: (request: Extract<Request, { request: Name }>) => Omit<Extract<Reply, { reply: Name }>, 'reply'> | void;
};

/** A platform for tests: it answers as told, and remembers what it was asked. */
export interface FakePlatform extends Platform {
  /** Everything that was asked, in order. */
  readonly asked: Request[];
  /** Tells an event to everybody who listens. */
  tell(event: Event): void;
  /** Lets files go over the window. */
  drop(paths: string[]): void;
  /** Says whether events come. */
  link(connected: boolean): void;
}

export function fakePlatform(answers: Answers = {}, parts: Partial<Platform> = {}): FakePlatform {
  const asked: Request[] = [];
  const events = new Listeners<Event>();
  const links = new Listeners<boolean>();
  const drops = new Listeners<string[]>();
  return {
    kind: 'window',
    asked,
    async call<R extends Request>(request: R): Promise<ReplyTo<R>> {
      asked.push(request);
      const answer = answers[request.request] as ((request: Request) => object | void) | undefined;
      if (!answer) throw new Error(`the test does not answer ${request.request}`);
      try {
        return replyTo(request, { reply: request.request, ...answer(request) } as Reply);
      } catch (error) {
        throw thrown(error);
      }
    },
    onEvent: (listener) => events.add(listener),
    onLink: (listener) => links.add(listener),
    pickFiles: () => Promise.resolve([]),
    pickFolder: () => Promise.resolve(null),
    pickNewFile: () => Promise.resolve(null),
    onDrop: (listener: DropListener) => drops.add((paths) => listener.drop(Promise.resolve(paths))),
    reveal: () => Promise.resolve(),
    openPage: () => Promise.resolve(),
    notify: () => Promise.resolve(),
    menu: () => Promise.resolve(),
    theme: () => Promise.resolve(),
    zoom: () => Promise.resolve(),
    tell: (event) => events.tell(event),
    drop: (paths) => drops.tell(paths),
    link: (connected) => links.tell(connected),
    ...parts,
  };
}
