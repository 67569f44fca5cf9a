import { invoke } from '@tauri-apps/api/core';

import type { Reply } from '../contract/Reply';
import type { Request } from '../contract/Request';
import { isFault, replyTo, RpcError, type Platform, type ReplyTo } from './platform';

/** Sanbao's own window: requests go through the one command that the shell allows. */
export function tauri(): Platform {
  return {
    kind: 'window',
    async call<R extends Request>(request: R): Promise<ReplyTo<R>> {
      try {
        return replyTo(request, await invoke<Reply>('rpc', { request }));
      } catch (error) {
        throw isFault(error) ? new RpcError(error) : error;
      }
    },
  };
}
