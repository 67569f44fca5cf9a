/**
 * Without a language of the system (`LANG=C`), WebKit's `navigator.language` is `c`, which `Intl`
 * refuses; libraries that format numbers do not expect that and break.
 */
export function mendLanguage(navigator: { language: string }): void {
  try {
    new Intl.NumberFormat(navigator.language);
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en', configurable: true });
  }
}
