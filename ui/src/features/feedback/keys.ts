/** How one judges: the best of all, a thumb for each, or stars for each. */
export const modes = ['best', 'thumbs', 'stars'] as const;
export type Mode = (typeof modes)[number];

/** What a key asks for. Answers are counted from 0. */
export type Wish =
  | { do: 'best'; answer: number }
  | { do: 'select'; answer: number }
  | { do: 'move'; by: 1 | -1 }
  | { do: 'mark'; value: number }
  | { do: 'edit'; answer: number }
  | { do: 'pick' | 'leave' | 'send' | 'tie' | 'all_bad' | 'skip' | 'undo' };

/** What is on the screen, as far as keys depend on it. */
export interface Scene {
  mode: Mode;
  /** How many answers there are. */
  answers: number;
  /** After E: the next number says which answer is to be edited. */
  isPicking: boolean;
}

const everywhere: Record<string, Wish> = {
  '0': { do: 'tie' },
  t: { do: 'tie' },
  x: { do: 'all_bad' },
  s: { do: 'skip' },
  u: { do: 'undo' },
  e: { do: 'pick' },
};

/** What a key press means; nothing for keys that mean something to the browser or to nobody. */
export function wishOf(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>, scene: Scene): Wish | null {
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey || event.altKey) {
    return key === 'z' && !event.altKey ? { do: 'undo' } : null;
  }
  const number = /^[1-9]$/.test(key) ? Number(key) : null;
  if (scene.isPicking) {
    if (key === 'escape' || key === 'e') return { do: 'leave' };
    return number !== null && number <= scene.answers ? { do: 'edit', answer: number - 1 } : null;
  }
  return modeWish(key, number, scene) ?? everywhere[key] ?? null;
}

function modeWish(key: string, number: number | null, { mode, answers }: Scene): Wish | null {
  if (mode === 'best') return number !== null && number <= answers ? { do: 'best', answer: number - 1 } : null;
  if (key === 'arrowright') return { do: 'move', by: 1 };
  if (key === 'arrowleft') return { do: 'move', by: -1 };
  if (key === 'enter') return { do: 'send' };
  if (mode === 'stars') return number !== null && number <= 5 ? { do: 'mark', value: number } : null;
  if (key === 'arrowup' || key === '+') return { do: 'mark', value: 1 };
  if (key === 'arrowdown' || key === '-') return { do: 'mark', value: 0 };
  return number !== null && number <= answers ? { do: 'select', answer: number - 1 } : null;
}

/** Whether a key belongs to what has the focus: a field, an open dialog, a button that Enter presses. */
export function isElsewhere(event: KeyboardEvent): boolean {
  const target = event.target instanceof Element ? event.target : null;
  if (event.isComposing || document.querySelector('[role=dialog], [role=menu], [role=listbox]')) return true;
  if (target?.closest('input, textarea, select, [contenteditable=true]')) return true;
  if (event.key.startsWith('Arrow')) return target?.closest('[role=radiogroup], [role=tablist]') !== null && target !== null;
  return (event.key === 'Enter' || event.key === ' ') && target?.closest('button, a, summary') != null;
}
