import { sentenceOf } from '../messages/faults';

/** A message at the edge of the window. */
export interface Toast {
  readonly id: number;
  readonly kind: 'note' | 'done' | 'fault';
  readonly text: string;
  readonly action?: { label: string; run: () => void };
}

/** How long a message stays, in seconds; what went wrong stays until it is closed, or its page is left. */
const stays = { note: 8, done: 5 };
/** The same for a message with something to press. */
export const actionStays = 10;

/** The messages at the edge of the window, the latest last. */
export class Toasts {
  all = $state<Toast[]>([]);
  #next = 1;

  /** Shows a message; with something to press it stays long enough to be pressed. */
  show(text: string, options: { kind?: Toast['kind']; action?: Toast['action'] } = {}): number {
    const { kind = 'note', action } = options;
    const id = this.#next++;
    this.all.push({ id, kind, text, action });
    if (kind !== 'fault') setTimeout(() => this.close(id), 1000 * (action ? actionStays : stays[kind]));
    return id;
  }

  /** Says what went wrong where no better place is. */
  fault(error: unknown): void {
    const text = sentenceOf(error);
    if (!this.all.some((toast) => toast.kind === 'fault' && toast.text === text)) this.show(text, { kind: 'fault' });
  }

  /** What went wrong on a page says nothing about the next one. */
  leavePage(): void {
    this.all = this.all.filter((toast) => toast.kind !== 'fault');
  }

  close(id: number): void {
    this.all = this.all.filter((toast) => toast.id !== id);
  }
}
