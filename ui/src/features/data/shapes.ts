import type { Mapping } from '../../contract/Mapping';
import type { Shape } from '../../contract/Shape';

/** A field of a shape; its name is the standard one. */
export interface Field {
  name: FieldName;
  required: boolean;
}

export type FieldName =
  | 'text'
  | 'label'
  | 'instruction'
  | 'input'
  | 'output'
  | 'system'
  | 'prompt'
  | 'completion'
  | 'context'
  | 'question'
  | 'answer'
  | 'messages'
  | 'chosen'
  | 'rejected'
  | 'margin'
  | 'response_a'
  | 'response_b'
  | 'winner'
  | 'rating_a'
  | 'rating_b'
  | 'rating'
  | 'completions';

const needs = (name: FieldName): Field => ({ name, required: true });
const may = (name: FieldName): Field => ({ name, required: false });

/** Every shape with its fields, as `crates/data/src/shapes` has them, the usual ones first. */
export const shapes: Record<Shape, readonly Field[]> = {
  text_label: [needs('text'), needs('label')],
  prompt_completion: [needs('prompt'), needs('completion'), may('system')],
  question_answer: [may('context'), needs('question'), needs('answer')],
  instruction: [needs('instruction'), may('input'), needs('output'), may('system')],
  messages: [needs('messages'), may('system')],
  prose: [needs('text')],
  prompt_only: [needs('prompt'), may('system')],
  preference: [may('prompt'), needs('chosen'), needs('rejected'), may('margin')],
  comparison: [may('prompt'), needs('response_a'), needs('response_b'), may('winner'), may('rating_a'), may('rating_b')],
  ratings: [may('prompt'), needs('completions')],
  rated_answer: [needs('prompt'), needs('completion'), needs('rating')],
  unpaired: [may('prompt'), needs('completion'), needs('label')],
};

export const shapeNames = Object.keys(shapes) as Shape[];

/** The template of each field of a shape, empty where the mapping has none. */
export type Draft = { shape: Shape; templates: Partial<Record<FieldName, string>> };

export function draftOf(mapping: Mapping): Draft {
  return { shape: mapping.shape, templates: Object.fromEntries(mapping.fields) };
}

/** The mapping that a draft stands for: fields of its shape only, without those left empty. */
export function mappingOf(draft: Draft): Mapping {
  const filled = shapes[draft.shape].filter((field) => draft.templates[field.name]?.trim());
  return { shape: draft.shape, fields: filled.map(({ name }) => [name, draft.templates[name]!]) };
}

/** A draft in another shape: fields of the same name stay, needed ones get a column that is free. */
export function inShape(draft: Draft, shape: Shape, columns: readonly string[]): Draft {
  const templates: Draft['templates'] = {};
  for (const { name } of shapes[shape]) {
    const kept = draft.templates[name] ?? (columns.includes(name) ? `{{${name}}}` : undefined);
    if (kept) templates[name] = kept;
  }
  for (const { name, required } of shapes[shape]) {
    if (!required || templates[name]) continue;
    const taken = Object.values(templates).join();
    const free = columns.find((column) => !taken.includes(`{{${column}}}`));
    if (free) templates[name] = `{{${free}}}`;
  }
  return { shape, templates };
}

export function sameMapping(a: Mapping, b: Mapping): boolean {
  const plain = ({ shape, fields }: Mapping) => JSON.stringify([shape, [...fields].sort()]);
  return plain(a) === plain(b);
}
