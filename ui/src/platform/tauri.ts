import { Channel, invoke } from '@tauri-apps/api/core';
import { getCurrentWebview } from '@tauri-apps/api/webview';

import type { Event } from '../contract/Event';
import type { Reply } from '../contract/Reply';
import type { Request } from '../contract/Request';
import { Listeners } from './listeners';
import { replyTo, thrown, type DropListener, type Platform, type ReplyTo, type Unsubscribe } from './platform';

/** Sanbao's own window: requests go through the few commands that the shell allows. */
export function tauri(): Platform {
  const events = new Listeners<Event>();
  let listening = false;

  return {
    kind: 'window',
    async call<R extends Request>(request: R): Promise<ReplyTo<R>> {
      return replyTo(request, await command<Reply>('rpc', { request }));
    },
    onEvent(listener) {
      // One channel for the life of the window, opened when somebody first wants to know.
      if (!listening) void command('events', { channel: new Channel<Event>((event) => events.tell(event)) });
      listening = true;
      return events.add(listener);
    },
    // Window and Rust are one program: they are never apart.
    onLink: () => () => undefined,
    pickFiles: (options = {}) => command<string[]>('pick_files', { extensions: options.extensions ?? [] }),
    pickFolder: () => command<string | null>('pick_folder'),
    pickNewFile: (proposed) => command<string | null>('pick_new_file', { proposed }),
    onDrop,
    reveal: (path) => command('reveal', { path }),
    openPage: (path) => command('open_page', { path }),
    notify: (title, text) => command('notify', { title, text }),
    menu: (groups, onchosen) => command('show_menu', { groups, chosen: new Channel<string>(onchosen) }),
    theme: (theme) => command('set_theme', { theme }),
    zoom: (factor) => command('zoom', { factor }),
  };
}

async function command<T>(name: string, args: Record<string, unknown> = {}): Promise<T> {
  try {
    return await invoke<T>(name, args);
  } catch (error) {
    throw thrown(error);
  }
}

function onDrop(listener: DropListener): Unsubscribe {
  const listening = getCurrentWebview().onDragDropEvent(({ payload }) => {
    if (payload.type === 'enter') listener.hover(payload.paths.length > 0);
    if (payload.type === 'leave' || payload.type === 'drop') listener.hover(false);
    if (payload.type === 'drop' && payload.paths.length > 0) listener.drop(Promise.resolve(payload.paths));
  });
  return () => void listening.then((stop) => stop());
}
