import { describe, expect, it } from 'vitest';

import { draftOf, inShape, mappingOf, sameMapping, shapeNames, shapes } from './shapes';

const draft = draftOf({ shape: 'text_label', fields: [['text', '{{body}}'], ['label', '{{kind}}']] });

describe('a mapping that is tried out', () => {
  it('becomes a mapping of the fields that are filled, in their order', () => {
    expect(mappingOf(draft)).toEqual({ shape: 'text_label', fields: [['text', '{{body}}'], ['label', '{{kind}}']] });
    const instruction = { shape: 'instruction', templates: { output: '{{b}}', instruction: '{{a}}', input: ' ', text: '{{c}}' } } as const;
    expect(mappingOf(instruction).fields).toEqual([['instruction', '{{a}}'], ['output', '{{b}}']]);
  });

  it('takes what it can to another shape', () => {
    expect(inShape(draft, 'prose', ['body', 'kind']).templates).toEqual({ text: '{{body}}' });
    // A column of the same name first, then the columns that are free.
    expect(inShape(draft, 'question_answer', ['kind', 'body', 'answer']).templates).toEqual({
      question: '{{kind}}',
      answer: '{{answer}}',
    });
    expect(inShape(draft, 'preference', ['only']).templates).toEqual({ chosen: '{{only}}' });
  });

  it('is the same whatever the order of its fields', () => {
    const turned = { shape: 'text_label', fields: [['label', '{{kind}}'], ['text', '{{body}}']] } as const;
    expect(sameMapping(mappingOf(draft), { ...turned, fields: [...turned.fields].map(([a, b]) => [a, b]) })).toBe(true);
    expect(sameMapping(mappingOf(draft), mappingOf(inShape(draft, 'prose', [])))).toBe(false);
  });
});

it('every shape needs something, and names each field once', () => {
  for (const shape of shapeNames) {
    const names = shapes[shape].map((field) => field.name);
    expect(new Set(names).size).toBe(names.length);
    expect(shapes[shape].some((field) => field.required)).toBe(true);
  }
});
