import { expect, it } from 'vitest';

import { speak } from './messages.svelte';
import { said } from './said';

it('sentences of Rust are said in the language that is spoken', () => {
  const text = { en: '1 row is the same as an earlier row.', zh: '1 行与前面的行相同。' };
  speak('en');
  expect(said(text)).toBe(text.en);
  speak('zh');
  expect(said(text)).toBe(text.zh);
});
