/** A part of a template: plain text, or what a column holds. */
export type Part = { text: string } | { column: string };

/** What is wrong with a template. */
export type Problem = { kind: 'unclosed' } | { kind: 'nameless' } | { kind: 'unknown'; column: string };

/** Reads `{{column}}` templates as `crates/data/src/template.rs` does: substitution, no logic. */
export function parse(template: string): Part[] | Problem {
  const parts: Part[] = [];
  let rest = template;
  for (let open = rest.indexOf('{{'); open >= 0; open = rest.indexOf('{{')) {
    if (open > 0) parts.push({ text: rest.slice(0, open) });
    const close = rest.indexOf('}}', open);
    if (close < 0) return { kind: 'unclosed' };
    const column = rest.slice(open + 2, close).trim();
    if (column === '') return { kind: 'nameless' };
    parts.push({ column });
    rest = rest.slice(close + 2);
  }
  if (rest !== '') parts.push({ text: rest });
  return parts;
}

/** What is wrong with a template for a file with these columns; `null` when nothing is. */
export function problemOf(template: string, columns: readonly string[]): Problem | null {
  const parts = parse(template);
  if (!Array.isArray(parts)) return parts;
  const unknown = parts.find((part) => 'column' in part && !columns.includes(part.column));
  return unknown && 'column' in unknown ? { kind: 'unknown', column: unknown.column } : null;
}

/** Fills in a row; what cannot be read or is not there is empty. */
export function fill(template: string, columns: readonly string[], values: readonly string[]): string {
  const parts = parse(template);
  if (!Array.isArray(parts)) return '';
  return parts.map((part) => ('text' in part ? part.text : (values[columns.indexOf(part.column)] ?? ''))).join('');
}

/** A template with a column put in place of what is selected, and where the caret then stands. */
export function insertColumn(template: string, column: string, start: number, end: number): { template: string; caret: number } {
  const inserted = `{{${column}}}`;
  return { template: template.slice(0, start) + inserted + template.slice(end), caret: start + inserted.length };
}
