import type { Text } from '../contract/Text';
import { language } from './messages.svelte';

/** A sentence of Rust's in the current language. */
export function said(text: Text): string {
  return text[language()];
}
