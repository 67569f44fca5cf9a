import { beforeEach, expect, it } from 'vitest';

import type { Finding } from '../../contract/Finding';
import { speak } from '../../messages/messages.svelte';
import { aFile } from '../../platform/fake-data';
import { findingText, reasonOf } from './words';

const rare: Finding = {
  code: 'rare_class',
  severity: 'warning',
  rows: 3,
  examples: [],
  message: {
    en: 'The labels `Refund` and `Other` have fewer than 5 rows.',
    zh: '标签“Refund”和“Other”的行数不足 5 行。',
  },
};

beforeEach(() => speak('en'));

it('files say why they are read as they are, in the language that is spoken', () => {
  expect(reasonOf(aFile())).toBe('UTF-8, comma-separated: “text” is the text and “label” is the label.');
  speak('zh');
  expect(reasonOf(aFile())).toBe('UTF-8 编码，逗号分隔：“text”是文本，“label”是标签。');
});

it('what a person set is told as such', () => {
  const mapping = { shape: 'text_label', fields: [['text', '{{subject}}: {{text}}'], ['label', '{{label}}']] } as const;
  const file = aFile({ mapping: { ...mapping, fields: mapping.fields.map(([a, b]) => [a, b]) } });
  expect(reasonOf(file)).toBe('UTF-8; columns as you set them: Text from “subject”, “text”, Label from “label”.');
});

it('findings are told in the language that is spoken', () => {
  expect(findingText(rare)).toBe('The labels “Refund” and “Other” have fewer than 5 rows.');
  speak('zh');
  expect(findingText(rare)).toBe('标签“Refund”和“Other”的行数不足 5 行。');
});
