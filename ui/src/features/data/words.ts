import type { Finding } from '../../contract/Finding';
import type { ProjectFile } from '../../contract/ProjectFile';
import { message } from '../../messages/messages.svelte';
import { said } from '../../messages/said';
import type { FieldName } from './shapes';
import { parse } from './template';

/** Why a file is read as it is, in words. */
export function reasonOf({ recognition, mapping }: ProjectFile): string {
  if (!mapping) return quoted(said(recognition.reason));
  const fields = mapping.fields.map(([field, template]) =>
    message('data_field_from', { field: message(`data_field_${field as FieldName}`), columns: columnsOf(template) }),
  );
  return message('data_reason_given', { encoding: recognition.encoding, fields: fields.join(message('list_comma')) });
}

/** What a finding says and what to do about it. */
export function findingText(finding: Finding): string {
  return quoted(said(finding.message));
}

/** Rust's sentences with quotation marks where it has back quotes. */
function quoted(sentence: string): string {
  return sentence.replace(/`([^`]+)`/g, '“$1”');
}

function columnsOf(template: string): string {
  const parts = parse(template);
  const columns = Array.isArray(parts) ? parts.flatMap((part) => ('column' in part ? [part.column] : [])) : [];
  return columns.map((name) => message('data_quoted', { name })).join(message('list_comma'));
}
