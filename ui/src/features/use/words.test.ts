import { beforeEach, expect, it } from 'vitest';

import type { Project } from '../../contract/Project';
import { speak } from '../../messages/messages.svelte';
import { exporting, isLabelling, speed, twoDigits } from './words';

beforeEach(() => speak('en'));

it('rows are labelled when every file says so, or the person does', () => {
  const file = (shape: string, said: string | null = null) => ({
    recognition: { mapping: { shape, fields: [] } },
    mapping: said && { shape: said, fields: [] },
  });
  const of = (...files: object[]) => isLabelling({ files } as unknown as Project);
  expect([of(file('text_label')), of(file('prose')), of(file('prose', 'text_label')), of()]).toEqual([
    true,
    false,
    true,
    false,
  ]);
});

it('figures read well', () => {
  expect([speed(1, 0), speed(48, 2)]).toEqual(['1 token', '48 tokens · 24.0 tokens/s']);
  expect([twoDigits(0.00000381), twoDigits(0.0142), twoDigits(0)]).toEqual(['3.8e-6', '0.014', '0']);
  expect(exporting({ stage: 'reading_back', done: 1, total: 2 })).toBe('Reading it back and comparing');
  expect(exporting({ stage: 'something new', done: 1, total: 2 })).toBe('Exporting');
});
