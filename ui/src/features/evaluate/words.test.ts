import { describe, expect, it } from 'vitest';

import { compareWords } from './words';

function marked(text: string, other: string): string {
  return compareWords(text, other)
    .map((stretch) => (stretch.differs ? `[${stretch.text}]` : stretch.text))
    .join('');
}

describe('words that the other text lacks', () => {
  it('are marked as in the report', () => {
    expect(marked('The cat sat there', 'the cat slept there')).toBe('The cat [sat] there');
    expect(marked('a b c d', 'a d')).toBe('a [b c] d');
    expect(marked('x  ', '')).toBe('[x]  ');
    expect(marked('', 'a')).toBe('');
  });

  it('are found in Chinese, which sets no spaces', () => {
    expect(marked('今天天气很好', '今天天气好')).toContain('今天');
    expect(marked('退款 三天', '退款 五天')).toBe('退款 [三天]');
  });

  it('lose and add nothing', () => {
    for (const text of ['  leading', 'a\n\nb ', 'émoji 👩‍👩‍👧 ok', '换行\n中文，标点。']) {
      for (const other of ['', text, 'b a', '中文']) {
        expect(
          compareWords(text, other)
            .map((stretch) => stretch.text)
            .join(''),
        ).toBe(text);
      }
      expect(compareWords(text, text).every((stretch) => !stretch.differs)).toBe(true);
    }
  });

  it('are not looked for in very long texts', () => {
    const long = 'a '.repeat(2000);
    expect(compareWords(long, 'b').every((stretch) => !stretch.differs)).toBe(true);
  });
});
