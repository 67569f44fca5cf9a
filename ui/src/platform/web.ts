import type { Event } from '../contract/Event';
import type { Reply } from '../contract/Reply';
import type { Request } from '../contract/Request';
import { browserDrop, chooseFiles } from './browser-files';
import { Listeners } from './listeners';
import { isFault, replyTo, RpcError, type Platform, type ReplyTo } from './platform';
import { takeToken } from './token';

/** Any browser: requests go to the server that the page came from. */
export function web(): Platform {
  const token = takeToken();
  const events = new Listeners<Event>();
  const links = new Listeners<boolean>();
  let source: EventSource | null = null;

  async function post(address: string, body: BodyInit, type: string): Promise<unknown> {
    const headers: Record<string, string> = { 'content-type': type };
    if (token) headers.authorization = `Bearer ${token}`;
    const response = await fetch(address, { method: 'POST', headers, body });
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    if (!isJson) throw new Error(`the server answered ${response.status} without JSON`);
    const answer: unknown = await response.json();
    if (response.ok) return answer;
    throw isFault(answer) ? new RpcError(answer) : new Error(`the server answered ${response.status}`);
  }

  /** Sends files one after the other: their order is kept, and so is the server's memory. */
  async function upload(files: readonly File[]): Promise<string[]> {
    const paths: string[] = [];
    for (const file of files) {
      const address = `/upload?name=${encodeURIComponent(file.name)}`;
      const { path } = (await post(address, file, 'application/octet-stream')) as { path: string };
      paths.push(path);
    }
    return paths;
  }

  function withToken(address: string): string {
    if (!token) return address;
    return `${address}${address.includes('?') ? '&' : '?'}token=${encodeURIComponent(token)}`;
  }

  /** A browser reconnects by itself; only a refusal ends the stream. */
  function listen(): void {
    if (source) return;
    source = new EventSource(withToken('/events'));
    source.onmessage = ({ data }: MessageEvent<string>) => events.tell(JSON.parse(data) as Event);
    source.onopen = () => links.tell(true);
    source.onerror = () => links.tell(false);
  }

  return {
    kind: 'browser',
    async call<R extends Request>(request: R): Promise<ReplyTo<R>> {
      return replyTo(request, (await post('/rpc', JSON.stringify(request), 'application/json')) as Reply);
    },
    onEvent(listener) {
      listen();
      return events.add(listener);
    },
    onLink: (listener) => links.add(listener),
    pickFiles: async (options = {}) => upload(await chooseFiles(options.extensions ?? [])),
    pickFolder: () => Promise.resolve(null),
    pickNewFile: () => Promise.resolve(null),
    onDrop: (listener) => browserDrop(listener, upload),
    reveal: () => Promise.reject(new Error('a browser cannot open the file manager')),
    async openPage(path) {
      window.open(withToken(`/page?path=${encodeURIComponent(path)}`), '_blank', 'noopener');
    },
    notify: () => Promise.resolve(),
    menu: () => Promise.resolve(),
    theme: () => Promise.resolve(),
    zoom: () => Promise.resolve(),
  };
}
