import { message } from '../messages/messages.svelte';
import { wholePercent } from '../messages/numbers';
import type { Unsubscribe } from '../platform';
import type { AppState } from '../state/app.svelte';

/** How large the page can be, as in browsers. */
const factors = [0.5, 0.67, 0.75, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2] as const;
const own = factors.indexOf(1);
const remembered = 'sanbao.zoom';
/** How far the wheel rolls from one size to the next, in pixels: a notch of a wheel, a bit of a touchpad. */
const notch = 40;

/** Larger, smaller, or its own size. */
type Way = 1 | -1 | 0;

/** The toast that says how large the page is. */
let toast = 0;

/**
 * Lets Ctrl (⌘ on a Mac) with +, − and 0, or with the wheel, make the page larger and smaller, and keeps how large it
 * was. A browser does all of this by itself.
 */
export function zoomByKeys(app: AppState): Unsubscribe {
  if (app.platform.kind === 'browser') return () => undefined;
  let rolled = 0;

  function onkeydown(event: KeyboardEvent) {
    // Ctrl and Alt together are AltGr, which types.
    const isMeant = (event.ctrlKey || event.metaKey) && !event.altKey;
    const way = isMeant ? wayOf(event.key) : null;
    if (way === null) return;
    event.preventDefault();
    largerOrSmaller(app, way);
  }

  function onwheel(event: WheelEvent) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    rolled += event.deltaY;
    if (Math.abs(rolled) < notch) return;
    largerOrSmaller(app, rolled < 0 ? 1 : -1);
    rolled = 0;
  }

  const at = current();
  if (at !== own) show(app, at);
  window.addEventListener('keydown', onkeydown);
  window.addEventListener('wheel', onwheel, { passive: false });
  return () => {
    window.removeEventListener('keydown', onkeydown);
    window.removeEventListener('wheel', onwheel);
  };
}

/** The page at its next larger or smaller size, or at its own. */
export function largerOrSmaller(app: AppState, way: Way): void {
  const wanted = way === 0 ? own : current() + way;
  const at = Math.min(Math.max(wanted, 0), factors.length - 1);
  localStorage.setItem(remembered, String(factors[at]));
  app.toasts.close(toast);
  toast = app.toasts.show(message('frame_zoom', { share: wholePercent(factors[at]!) }));
  show(app, at);
}

function current(): number {
  const at = factors.findIndex((factor) => String(factor) === localStorage.getItem(remembered));
  return at < 0 ? own : at;
}

function show(app: AppState, at: number): void {
  app.platform.zoom(factors[at]!).catch((error: unknown) => app.toasts.fault(error));
}

/** Where a key leads; `null` for a key that does not zoom. */
function wayOf(key: string): Way | null {
  if (key === '+' || key === '=') return 1;
  if (key === '-' || key === '_') return -1;
  return key === '0' ? 0 : null;
}
