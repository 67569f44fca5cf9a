import type { Event } from '../contract/Event';
import type { Fault } from '../contract/Fault';
import type { Reply } from '../contract/Reply';
import type { Request } from '../contract/Request';

/** The reply that belongs to a request. */
export type ReplyTo<R extends Request> = Extract<Reply, { reply: R['request'] }>;

/** Ends what a listener was told. */
export type Unsubscribe = () => void;

/** What is told while files are dragged onto the window. */
export interface DropListener {
  /** Files are held over the window, or no longer. */
  hover(over: boolean): void;
  /** Files were let go. A browser has to upload them before they have a path. */
  drop(paths: Promise<string[]>): void;
}

/** What kind of files a person is asked for: `.csv`, …; all when left out. */
export interface PickOptions {
  extensions?: readonly string[];
}

/** What a system's menu does without the page. */
export type SystemItem =
  | 'about'
  | 'services'
  | 'hide'
  | 'hide_others'
  | 'show_all'
  | 'undo'
  | 'redo'
  | 'cut'
  | 'copy'
  | 'paste'
  | 'select_all';

/** An entry of a menu; `quit` is the id of the one that closes the window. */
export type MenuItem =
  | { kind: 'separator' }
  | { kind: 'system'; does: SystemItem; label: string }
  | { kind: 'action'; id: string; label: string; key: string | null; enabled: boolean; checked: boolean | null };

/** One of the menus beside each other. */
export interface MenuGroup {
  label: string;
  items: MenuItem[];
}

/** Everything that the window asks of the machine it runs on. */
export interface Platform {
  /** `window` is Sanbao's own, `browser` any other: it picks no folders and reveals no files. */
  readonly kind: 'window' | 'browser';
  /**
   * Sends one request to Rust.
   *
   * @throws RpcError when Rust refused; any other error means that it cannot be reached.
   */
  call<R extends Request>(request: R): Promise<ReplyTo<R>>;
  /** Tells what happens unasked: runs, downloads, progress, answers. */
  onEvent(listener: (event: Event) => void): Unsubscribe;
  /** Tells when the events stop coming (`false`), and when they come again (`true`). */
  onLink(listener: (connected: boolean) => void): Unsubscribe;
  /** Asks the person for files; empty when they changed their mind. */
  pickFiles(options?: PickOptions): Promise<string[]>;
  /** Asks the person for a folder; `null` when they changed their mind, and in a browser. */
  pickFolder(): Promise<string | null>;
  /** Asks the person where a file is to be written; `null` when they changed their mind, and in a browser. */
  pickNewFile(proposed: string): Promise<string | null>;
  /** Files dragged onto the window from elsewhere. */
  onDrop(listener: DropListener): Unsubscribe;
  /** Shows a file or folder in the system's file manager; a browser cannot. */
  reveal(path: string): Promise<void>;
  /** Opens a HTML file in the browser. */
  openPage(path: string): Promise<void>;
  /** Tells the person something while they look elsewhere; a browser does not. */
  notify(title: string, text: string): Promise<void>;
  /** Shows the window's menu and tells the ids of what is chosen; a browser has its own. */
  menu(groups: readonly MenuGroup[], onchosen: (id: string) => void): Promise<void>;
  /** Makes the frame of the window light or dark, as the system is when `null`; a browser's stays as it is. */
  theme(theme: 'light' | 'dark' | null): Promise<void>;
  /** Shows the page larger or smaller, 1 for its own size; a browser does that by itself. */
  zoom(factor: number): Promise<void>;
}

/** An error from Rust, with its stable code; the window has the sentence for it. */
export class RpcError extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.message);
    this.name = 'RpcError';
    this.fault = fault;
  }
}

/** Whether something thrown is an error as Rust sends them. */
export function isFault(value: unknown): value is Fault {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    typeof value.code === 'string' &&
    'message' in value &&
    typeof value.message === 'string'
  );
}

/** An error of Rust's as such; any other as it is. */
export function thrown(error: unknown): unknown {
  return isFault(error) ? new RpcError(error) : error;
}

/** Makes sure that a reply is the one that was asked for. */
export function replyTo<R extends Request>(request: R, reply: Reply): ReplyTo<R> {
  if (reply.reply !== request.request) {
    throw new Error(`asked for ${request.request}, got ${reply.reply}`);
  }
  return reply as ReplyTo<R>;
}
