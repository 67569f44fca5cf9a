import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { connect, RpcError } from '.';
import { replyTo } from './platform';

afterEach(() => {
  vi.unstubAllGlobals();
  Reflect.deleteProperty(window, '__TAURI_INTERNALS__');
});

function answer(status: number, body: string, type = 'application/json'): void {
  const response = new Response(body, { status, headers: { 'content-type': type } });
  vi.stubGlobal('fetch', vi.fn().mockResolvedValue(response));
}

const fault = { code: 'rpc.bad_request', message: 'No.', params: {} };

describe('in a browser', () => {
  it('posts the request to its own server and hands back the reply', async () => {
    answer(200, '{"reply":"about","version":"1.0.0"}');
    const platform = connect();
    expect(platform.kind).toBe('browser');
    expect(await platform.call({ request: 'about' })).toEqual({ reply: 'about', version: '1.0.0' });
    const [address, options] = vi.mocked(fetch).mock.calls[0]!;
    expect(address).toBe('/rpc');
    expect(options?.body).toBe('{"request":"about"}');
  });

  it('hands on the error that the server sends', async () => {
    answer(400, JSON.stringify(fault));
    const error = await connect().call({ request: 'about' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RpcError);
    expect((error as RpcError).fault).toEqual(fault);
  });

  it('is not taken in by a page of some other server', async () => {
    answer(502, '<html>Bad gateway</html>', 'text/html');
    await expect(connect().call({ request: 'about' })).rejects.toThrow('502');
  });
});

/** The browser's own stream of events, as far as it is used. */
class FakeEventSource {
  static last: FakeEventSource;
  onmessage = (_: { data: string }) => {};
  onopen = () => {};
  onerror = () => {};

  constructor(readonly address: string) {
    FakeEventSource.last = this;
  }
}

describe('in a browser with a token', () => {
  beforeEach(() => {
    location.hash = '#token=s3cret';
    vi.stubGlobal('EventSource', FakeEventSource);
  });
  afterEach(() => sessionStorage.clear());

  it('takes it out of the address, keeps it and sends it along', async () => {
    answer(200, '{"reply":"about","version":"1.0.0"}');
    await connect().call({ request: 'about' });
    expect(location.hash).toBe('');
    // After a reload it is no longer in the address.
    answer(200, '{"reply":"about","version":"1.0.0"}');
    await connect().call({ request: 'about' });
    expect(vi.mocked(fetch).mock.calls[0]![1]?.headers).toMatchObject({ authorization: 'Bearer s3cret' });
  });

  it('listens to one stream for all who want to know', () => {
    const platform = connect();
    const [one, other, link] = [vi.fn(), vi.fn(), vi.fn()];
    platform.onLink(link);
    const stop = platform.onEvent(one);
    platform.onEvent(other);
    expect(FakeEventSource.last.address).toBe('/events?token=s3cret');
    FakeEventSource.last.onmessage({ data: '{"event":"chat_piece","chat":"c","text":"Hi"}' });
    stop();
    FakeEventSource.last.onmessage({ data: '{"event":"chat_piece","chat":"c","text":"!"}' });
    expect([one.mock.calls.length, other.mock.calls.length]).toEqual([1, 2]);
    FakeEventSource.last.onerror();
    FakeEventSource.last.onopen();
    expect(link.mock.calls).toEqual([[false], [true]]);
  });

  it('uploads files that are dropped, and tells where they are', async () => {
    answer(200, '{"path":"/tmp/up/a b.csv"}');
    const listener = { hover: vi.fn(), drop: vi.fn() };
    const stop = connect().onDrop(listener);
    const file = new File(['x'], 'a b.csv');
    const dataTransfer = { types: ['Files'], files: [file] };
    for (const type of ['dragenter', 'dragover', 'drop']) {
      window.dispatchEvent(Object.assign(new Event(type, { cancelable: true }), { dataTransfer }));
    }
    expect(listener.hover.mock.calls).toEqual([[true], [false]]);
    expect(await listener.drop.mock.calls[0]![0]).toEqual(['/tmp/up/a b.csv']);
    const [address, options] = vi.mocked(fetch).mock.calls[0]!;
    expect([address, options?.body]).toEqual(['/upload?name=a%20b.csv', file]);
    stop();
    window.dispatchEvent(Object.assign(new Event('dragenter'), { dataTransfer }));
    expect(listener.hover).toHaveBeenCalledTimes(2);
  });

  it('asks for files with its own dialog', async () => {
    answer(200, '{"path":"/tmp/up/a.csv"}');
    const open = vi.spyOn(HTMLInputElement.prototype, 'click').mockImplementation(function (this: HTMLInputElement) {
      Object.defineProperty(this, 'files', { value: [new File(['x'], 'a.csv')] });
      expect(this.accept).toBe('.csv');
      this.dispatchEvent(new Event('change'));
    });
    expect(await connect().pickFiles({ extensions: ['.csv'] })).toEqual(['/tmp/up/a.csv']);
    expect(document.querySelector('input')).toBeNull();
    open.mockRestore();
  });
});

describe('in the window', () => {
  it('picks files and folders with the commands of the shell, and hears of events', async () => {
    const callbacks: ((message: unknown) => void)[] = [];
    const invoke = vi.fn(async (name: string) => (name === 'pick_files' ? ['/a.csv'] : null));
    vi.stubGlobal('__TAURI_INTERNALS__', { invoke, transformCallback: (callback: () => void) => callbacks.push(callback) });
    const platform = connect();
    expect(await platform.pickFiles({ extensions: ['.csv'] })).toEqual(['/a.csv']);
    expect(await platform.pickFolder()).toBeNull();
    expect(await platform.pickNewFile('/home/me/votes.jsonl')).toBeNull();
    await platform.reveal('/p');
    await platform.openPage('/p/report.html');
    await platform.notify('Mail', 'Got better');
    await platform.zoom(1.1);
    expect(invoke.mock.calls.map((call: unknown[]) => call.slice(0, 2))).toEqual([
      ['pick_files', { extensions: ['.csv'] }],
      ['pick_folder', {}],
      ['pick_new_file', { proposed: '/home/me/votes.jsonl' }],
      ['reveal', { path: '/p' }],
      ['open_page', { path: '/p/report.html' }],
      ['notify', { title: 'Mail', text: 'Got better' }],
      ['zoom', { factor: 1.1 }],
    ]);
    const heard = vi.fn();
    platform.onEvent(heard);
    platform.onEvent(vi.fn());
    expect(callbacks).toHaveLength(1);
    callbacks[0]!({ index: 0, message: { event: 'chat_piece', chat: 'c', text: 'Hi' } });
    expect(heard).toHaveBeenCalledWith({ event: 'chat_piece', chat: 'c', text: 'Hi' });
  });


  it('calls the one command and hands on its errors', async () => {
    const invoke = vi.fn().mockRejectedValueOnce(fault).mockResolvedValueOnce({ reply: 'about', version: '1.0.0' });
    vi.stubGlobal('__TAURI_INTERNALS__', { invoke });
    const platform = connect();
    expect(platform.kind).toBe('window');
    await expect(platform.call({ request: 'about' })).rejects.toBeInstanceOf(RpcError);
    expect((await platform.call({ request: 'about' })).version).toBe('1.0.0');
    expect(invoke.mock.calls[0]?.slice(0, 2)).toEqual(['rpc', { request: { request: 'about' } }]);
  });
});

it('a reply to another request is refused', () => {
  expect(() => replyTo({ request: 'about' }, { reply: 'other' } as never)).toThrow('got other');
});
