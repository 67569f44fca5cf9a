import { beforeEach, expect, it } from 'vitest';

import { RpcError } from '../platform/platform';
import { faultLanguage, faultSentence, sentenceOf } from './faults';
import { speak } from './messages.svelte';

const noRows = { code: 'data.no_rows', message: 'x.csv has no rows; it needs at least one row of data.', params: { file: 'x.csv' } };

beforeEach(() => speak('zh'));

it('faults have a sentence in the language that is spoken', () => {
  expect(faultSentence(noRows)).toBe('x.csv 没有数据行，至少需要一行。');
  expect(faultLanguage(noRows)).toBe('zh');
  expect(sentenceOf(new RpcError(noRows))).toContain('x.csv');
});

it('faults that the window does not know, or not all of, speak English', () => {
  const unknown = { code: 'data.made_up', message: 'Made up.', params: {} };
  expect([faultSentence(unknown), faultLanguage(unknown)]).toEqual(['Made up.', 'en']);
  expect(faultSentence({ ...noRows, params: {} })).toBe(noRows.message);
});

it('anything else means that the engine does not answer', () => {
  expect(sentenceOf(new TypeError('Failed to fetch'))).toContain('引擎没有回应');
});
