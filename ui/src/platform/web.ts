import type { Reply } from '../contract/Reply';
import type { Request } from '../contract/Request';
import { isFault, replyTo, RpcError, type Platform, type ReplyTo } from './platform';

/** Any browser: requests go to the server that the page came from. */
export function web(): Platform {
  return {
    kind: 'browser',
    async call<R extends Request>(request: R): Promise<ReplyTo<R>> {
      const response = await fetch('/rpc', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
      });
      const isJson = response.headers.get('content-type')?.startsWith('application/json');
      if (!isJson) throw new Error(`the server answered ${response.status} without JSON`);
      const body: unknown = await response.json();
      if (response.ok) return replyTo(request, body as Reply);
      throw isFault(body) ? new RpcError(body) : new Error(`the server answered ${response.status}`);
    },
  };
}
