import type { Finding } from '../../contract/Finding';
import type { ProjectFile } from '../../contract/ProjectFile';
import { isMessage, language, message } from '../../messages/messages.svelte';
import { count } from '../../messages/numbers';
import type { FieldName } from './shapes';
import { parse } from './template';

/** A text and the language it is in: Rust gives its reasons in English. */
export interface Said {
  text: string;
  lang: string;
}

/** Why a file is read as it is, in words. */
export function reasonOf({ recognition, mapping }: ProjectFile): Said {
  if (!mapping && language() === 'en') return { text: quoted(recognition.reason), lang: 'en' };
  const fields = (mapping ?? recognition.mapping).fields.map(([field, template]) =>
    message('data_field_from', { field: message(`data_field_${field as FieldName}`), columns: columnsOf(template) }),
  );
  const key = mapping ? 'data_reason_given' : 'data_reason';
  return { text: message(key, { encoding: recognition.encoding, fields: fields.join(message('list_comma')) }), lang: language() };
}

/** What a finding says and what to do about it. */
export function findingText({ code, rows, message: english }: Finding): Said {
  const key = `data_finding_${code}`;
  if (language() === 'en' || !isMessage(key)) return { text: quoted(english), lang: 'en' };
  const text = message(key, { rows: count(rows) });
  const names = namesIn(english);
  return { text: names ? message('data_concerns', { text, names }) : text, lang: language() };
}

/** Rust's sentences with quotation marks where it has back quotes. */
function quoted(sentence: string): string {
  return sentence.replace(/`([^`]+)`/g, '“$1”');
}

/** The labels that Rust's sentence names in back quotes, for a sentence that cannot name them. */
function namesIn(english: string): string {
  const names = [...english.matchAll(/`([^`]+)`/g)].map(([, name]) => message('data_quoted', { name: name! }));
  return names.join(message('list_comma'));
}

function columnsOf(template: string): string {
  const parts = parse(template);
  const columns = Array.isArray(parts) ? parts.flatMap((part) => ('column' in part ? [part.column] : [])) : [];
  return columns.map((name) => message('data_quoted', { name })).join(message('list_comma'));
}
