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

/**
 * Lets Ctrl (⌘ on a Mac) with +, − and 0, or with the wheel, make the page larger and smaller, and keeps how large it
 * was. A browser does all of this by itself.
 */
export function zoomByKeys(app: AppState): Unsubscribe {
  if (app.platform.kind === 'browser') return () => undefined;
  let at = factors.findIndex((factor) => String(factor) === localStorage.getItem(remembered));
  if (at < 0) at = own;
  let toast = 0;
  let rolled = 0;

  function set(wanted: number) {
    at = Math.min(Math.max(wanted, 0), factors.length - 1);
    const factor = factors[at]!;
    localStorage.setItem(remembered, String(factor));
    app.toasts.close(toast);
    toast = app.toasts.show(message('frame_zoom', { share: wholePercent(factor) }));
    show(factor);
  }

  function show(factor: number) {
    app.platform.zoom(factor).catch((error: unknown) => app.toasts.fault(error));
  }

  function onkeydown(event: KeyboardEvent) {
    // Ctrl and Alt together are AltGr, which types.
    const isMeant = (event.ctrlKey || event.metaKey) && !event.altKey;
    const wanted = isMeant ? afterKey(at, event.key) : null;
    if (wanted === null) return;
    event.preventDefault();
    set(wanted);
  }

  function onwheel(event: WheelEvent) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    rolled += event.deltaY;
    if (Math.abs(rolled) < notch) return;
    set(rolled < 0 ? at + 1 : at - 1);
    rolled = 0;
  }

  if (at !== own) show(factors[at]!);
  window.addEventListener('keydown', onkeydown);
  window.addEventListener('wheel', onwheel, { passive: false });
  return () => {
    window.removeEventListener('keydown', onkeydown);
    window.removeEventListener('wheel', onwheel);
  };
}

/** Where a key leads; `null` for a key that does not zoom. */
function afterKey(at: number, key: string): number | null {
  if (key === '+' || key === '=') return at + 1;
  if (key === '-' || key === '_') return at - 1;
  return key === '0' ? own : null;
}
