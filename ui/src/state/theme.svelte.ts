import type { Platform } from '../platform';

/** How light or dark the window is; `system` follows the machine. */
export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const remembered = 'sanbao.theme';

let current = $state<Theme>(themes.find((theme) => theme === localStorage.getItem(remembered)) ?? 'system');

export function theme(): Theme {
  return current;
}

/** Changes the theme at once and remembers the choice. */
export function setTheme(wanted: Theme): void {
  current = wanted;
  localStorage.setItem(remembered, wanted);
}

/** Puts the theme onto the page, of which app.css says what follows from it, and onto the frame around it. */
export async function applyTheme(platform: Platform): Promise<void> {
  document.documentElement.dataset.theme = current;
  await platform.theme(current === 'system' ? null : current);
}
