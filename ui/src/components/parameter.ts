import type { ParameterKind } from '../contract/ParameterKind';
import { isMessage, language, message } from '../messages/messages.svelte';

/** What was typed into a form, understood; `bad` when the parameter does not take it. */
export type Typed = { value: unknown } | { bad: true };

/** Reads a value as a person types it. A decimal comma is a decimal point. */
export function typed(kind: ParameterKind, text: string): Typed {
  const trimmed = text.trim();
  switch (kind.kind) {
    case 'integer': {
      const value = Number(trimmed);
      const fits = /^-?\d+$/.test(trimmed) && Number.isSafeInteger(value);
      return fits && value >= kind.low && value <= kind.high ? { value } : { bad: true };
    }
    case 'number': {
      const value = Number(trimmed.replace(',', '.'));
      const fits = trimmed !== '' && Number.isFinite(value);
      return fits && value >= kind.low && value <= kind.high ? { value } : { bad: true };
    }
    case 'names':
      return trimmed === '' ? { bad: true } : { value: trimmed };
    case 'text':
      return { value: text };
    case 'lines': {
      const lines = linesOf(text);
      return lines.length === 0 ? { bad: true } : { value: lines };
    }
    case 'flag':
      return { value: trimmed === 'true' };
    case 'choice':
      return kind.choices.includes(trimmed) ? { value: trimmed } : { bad: true };
  }
}

/** The lines of a text that say something. */
export function linesOf(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
}

/** A value as a person would type it: `0.0002`, `all-linear`, `true`; texts of a list one a line. */
export function written(value: unknown): string {
  if (typeof value === 'number') return plainNumber(value);
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join('\n');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The plain name of what a parameter can be set to; its standard name where it has no other. */
export function choiceName(parameter: string, choice: string): string {
  const key = `choice_${parameter}_${choice}`;
  if (isMessage(key)) return message(key);
  // Codes after ISO 639-1, which every browser has names for.
  return (parameter === 'language' && new Intl.DisplayNames([language()], { type: 'language' }).of(choice)) || choice;
}

/** Small numbers as decimals as far as they can be read, then with an exponent. */
function plainNumber(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || size >= 1e-6) {
    const text = value.toFixed(10);
    if (Number(text) === value && !Number.isInteger(value)) return text.replace(/0+$/, '');
  }
  return String(value);
}

/** Ends of a range for people: nothing where there is no real limit. */
export function rangeOf(kind: ParameterKind): { low: string; high: string } | null {
  if (kind.kind !== 'integer' && kind.kind !== 'number') return null;
  const limitless = Math.abs(kind.high) >= Number.MAX_SAFE_INTEGER;
  return limitless ? null : { low: written(kind.low), high: written(kind.high) };
}
