import { afterEach, describe, expect, it, vi } from 'vitest';

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

describe('in the window', () => {
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
