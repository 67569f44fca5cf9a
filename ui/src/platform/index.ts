import type { Platform } from './platform';
import { tauri } from './tauri';
import { web } from './web';

export type { DropListener, MenuGroup, MenuItem, PickOptions, Platform, ReplyTo, SystemItem, Unsubscribe } from './platform';
export { RpcError, isFault } from './platform';

/** The platform that this page runs on: Sanbao's own window, or a browser. */
export function connect(): Platform {
  return '__TAURI_INTERNALS__' in window ? tauri() : web();
}
