import type { Fault } from '../contract/Fault';
import type { Request } from '../contract/Request';
import type { Reply } from '../contract/Reply';

/** The reply that belongs to a request. */
export type ReplyTo<R extends Request> = Extract<Reply, { reply: R['request'] }>;

/** Everything that the window asks of the machine it runs on. */
export interface Platform {
  /** `window` is Sanbao's own, `browser` any other. */
  readonly kind: 'window' | 'browser';
  /**
   * Sends one request to Rust.
   *
   * @throws RpcError when Rust refused; any other error means that it cannot be reached.
   */
  call<R extends Request>(request: R): Promise<ReplyTo<R>>;
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

/** Makes sure that a reply is the one that was asked for. */
export function replyTo<R extends Request>(request: R, reply: Reply): ReplyTo<R> {
  if (reply.reply !== request.request) {
    throw new Error(`asked for ${request.request}, got ${reply.reply}`);
  }
  return reply as ReplyTo<R>;
}
