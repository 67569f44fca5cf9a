import { expect, it } from 'vitest';

import { mendLanguage } from './language';

it('replaces a language that is none, and no other', () => {
  for (const [given, wanted] of [
    ['c', 'en'],
    ['zh-CN', 'zh-CN'],
    ['en', 'en'],
  ] as const) {
    const navigator = { language: given as string };
    mendLanguage(navigator);
    expect(navigator.language).toBe(wanted);
  }
});
