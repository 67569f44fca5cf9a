import { beforeEach, expect, it } from 'vitest';

import { speak } from '../../messages/messages.svelte';
import { duties, sellingLine } from './licence';

const licence = { id: 'Apache-2.0', commercial_use: true, redistribution: true, summary: 'As Rust says it.' };

beforeEach(() => speak('zh'));

it('a licence says whether what is made may be sold', () => {
  expect([true, false, null].map((commercial_use) => sellingLine({ ...licence, commercial_use }).tone)).toEqual(['good', 'bad', 'warn']);
});

it('the duties are told in the language that is spoken where they are known', () => {
  expect(duties(licence)).toMatchObject({ lang: 'zh' });
  expect(duties({ ...licence, id: 'llama3.2' }).text).toContain('Built with Llama');
  expect(duties({ ...licence, id: null }).text).toContain('没有说明');
  expect(duties({ ...licence, id: 'my own' })).toEqual({ text: 'As Rust says it.', lang: 'en' });
});
