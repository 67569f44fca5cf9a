import en from './en.json';
import zh from './zh.json';

/** What can be said; English has every message. */
export type MessageKey = keyof typeof en;

/** The languages, in the order in which they are offered. */
export const languages = ['en', 'zh'] as const;
export type Language = (typeof languages)[number];

// The annotation makes a message that is missing in one language an error of the compiler.
const messages: Record<Language, Record<MessageKey, string>> = { en, zh };

/** Whether there is a message of that name, for names that come from Rust. */
export function isMessage(key: string): key is MessageKey {
  return Object.hasOwn(en, key);
}

const remembered = 'sanbao.language';

/** The first language of a browser's list that Sanbao speaks, else English. */
export function firstSpoken(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const primary = tag.toLowerCase().split('-')[0];
    const spoken = languages.find((language) => language === primary);
    if (spoken) return spoken;
  }
  return 'en';
}

function initial(): Language {
  const chosen = localStorage.getItem(remembered);
  return firstSpoken(chosen ? [chosen] : navigator.languages);
}

let current = $state<Language>(initial());

export function language(): Language {
  return current;
}

/** Changes the language of everything on the screen and remembers the choice. */
export function speak(wanted: Language): void {
  current = wanted;
  localStorage.setItem(remembered, wanted);
}

/**
 * A message in a given language, for the names of languages in their own. `{rows|row|rows}` is the
 * first word when the parameter is 1, else the second.
 */
export function messageIn(
  wanted: Language,
  key: MessageKey,
  params: Record<string, string | number> = {},
): string {
  return messages[wanted][key]
    .replace(/\{(\w+)\|([^|}]*)\|([^}]*)\}/g, (_, name: string, one: string, more: string) =>
      String(params[name]) === '1' ? one : more,
    )
    .replace(/\{(\w+)\}/g, (whole, name: string) => (name in params ? String(params[name]) : whole));
}

/** A message in the current language, `{name}` replaced by the parameter of that name. */
export function message(key: MessageKey, params: Record<string, string | number> = {}): string {
  return messageIn(current, key, params);
}
