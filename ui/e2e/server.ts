import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { Fault } from '../src/contract/Fault';
import type { Reply } from '../src/contract/Reply';
import type { Request } from '../src/contract/Request';

type ReplyTo<R extends Request> = Extract<Reply, { reply: R['request'] }>;

const repository = join(import.meta.dirname, '..', '..');

/** A path in the repository. */
export function inRepository(...parts: string[]): string {
  return join(repository, ...parts);
}

/** `sanbao serve` with an empty home of its own. */
export class Server {
  readonly #process: ChildProcess;
  /** Where projects and models are kept; removed in the end. */
  readonly home: string;
  /** What it shows to be opened in a browser, with the token. */
  readonly shown: string;
  /** The address alone. */
  readonly address: string;
  readonly token: string;

  private constructor(process: ChildProcess, home: string, shown: string) {
    this.#process = process;
    this.home = home;
    this.shown = shown;
    const { origin, hash } = new URL(shown);
    this.address = origin;
    this.token = decodeURIComponent(hash.replace('#token=', ''));
  }

  static async start(): Promise<Server> {
    const program = process.env.SANBAO_PROGRAM;
    if (!program) throw new Error('SANBAO_PROGRAM does not say where the program sanbao is; run `cargo xtask test`.');
    const page = process.env.SANBAO_PAGE ?? inRepository('ui', 'dist');
    const home = await mkdtemp(join(tmpdir(), 'sanbao-e2e-'));
    const server = spawn(program, ['serve', '--ui', page], {
      env: { ...process.env, SANBAO_HOME: home },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(server, 'exit').then(() => ['that it has ended']);
    const [line] = (await Promise.race([once(createInterface(server.stdout), 'line'), ended])) as [string];
    const shown = /http:\S+/.exec(line)?.[0];
    if (!shown) throw new Error(`sanbao serve says no address, but: ${line}`);
    return new Server(server, home, shown);
  }

  /** Asks what the window asks, without the window. */
  async call<R extends Request>(request: R): Promise<ReplyTo<R>> {
    const response = await fetch(`${this.address}/rpc`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.token}` },
      body: JSON.stringify(request),
    });
    const answer: unknown = await response.json();
    if (response.ok) return answer as ReplyTo<R>;
    const { code, message } = answer as Fault;
    throw new Error(`${request.request}: ${code}: ${message}`);
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGINT');
    await ended;
    await rm(this.home, { recursive: true, force: true });
  }
}
