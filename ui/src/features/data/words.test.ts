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
  message: 'The labels `Refund` and `Other` have fewer than 5 rows.',
};

beforeEach(() => speak('en'));

it('files say why they are read as they are, in the language that is spoken', () => {
  expect(reasonOf(aFile())).toEqual({ text: 'UTF-8, comma-separated: “text” is the text and “label” is the label.', lang: 'en' });
  speak('zh');
  expect(reasonOf(aFile())).toEqual({ text: 'UTF-8 编码；文本取自“text”、标签取自“label”。', lang: 'zh' });
});

it('what a person set is told as such', () => {
  const mapping = { shape: 'text_label', fields: [['text', '{{subject}}: {{text}}'], ['label', '{{label}}']] } as const;
  const file = aFile({ mapping: { ...mapping, fields: mapping.fields.map(([a, b]) => [a, b]) } });
  expect(reasonOf(file).text).toBe('UTF-8; columns as you set them: Text from “subject”, “text”, Label from “label”.');
});

it('findings name the labels they are about', () => {
  expect(findingText(rare)).toEqual({ text: 'The labels “Refund” and “Other” have fewer than 5 rows.', lang: 'en' });
  speak('zh');
  expect(findingText(rare).text).toContain('涉及“Refund”、“Other”。');
  expect(findingText({ ...rare, code: 'made_up' })).toMatchObject({ lang: 'en' });
});
