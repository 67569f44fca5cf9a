import type { Licence } from '../../contract/Licence';
import { isMessage, language, message, type MessageKey } from '../../messages/messages.svelte';

/** Whether what is made may be sold: the sign, and the words that say so. */
export interface SellingLine {
  tone: 'good' | 'warn' | 'bad';
  words: MessageKey;
}

export function sellingLine({ commercial_use: allowed }: Licence): SellingLine {
  if (allowed === null) return { tone: 'warn', words: 'licence_unknown' };
  return allowed ? { tone: 'good', words: 'licence_sell' } : { tone: 'bad', words: 'licence_no_sell' };
}

/** What has to be kept in mind, and the language it is in: Rust knows more licences than the window. */
export function duties(licence: Licence): { text: string; lang: string } {
  const key = `licence_is_${(licence.id ?? 'unstated').toLowerCase().replace(/[^a-z0-9]+/g, '_')}`;
  return isMessage(key) ? { text: message(key), lang: language() } : { text: licence.summary, lang: 'en' };
}
