import type { RunSummary } from '../contract/RunSummary';
import { sentenceOf } from '../messages/faults';
import { message } from '../messages/messages.svelte';
import type { Unsubscribe } from '../platform';
import type { AppState } from '../state/app.svelte';

/** Tells of runs that come to their end while the person looks elsewhere. */
export function tellOfRuns(app: AppState): Unsubscribe {
  return app.onEvent((event) => {
    if (event.event !== 'run' || document.hasFocus()) return;
    const text = ending(event.run);
    // Without notices in this system, the window is what tells.
    if (text) app.platform.notify(app.nameOf(event.project) ?? 'Sanbao', text).catch(() => undefined);
  });
}

/** What is said of a run that has come to its end by itself; `null` of any other. */
function ending({ state, outcome, fault }: RunSummary): string | null {
  if (state === 'judged' && outcome) return message(`notice_${outcome}`);
  if (state === 'failed') return message('notice_failed', { sentence: fault ? sentenceOf(fault) : '' });
  return null;
}
