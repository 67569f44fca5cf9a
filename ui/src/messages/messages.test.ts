import { beforeEach, describe, expect, it } from 'vitest';

import en from './en.json';
import zh from './zh.json';
import { firstSpoken, isMessage, language, message, messageIn, speak } from './messages.svelte';

describe('messages', () => {
  beforeEach(() => speak('en'));

  it('say the same things with the same parameters in both languages', () => {
    expect(Object.keys(zh)).toEqual(Object.keys(en));
    const params = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
    for (const key of Object.keys(en) as (keyof typeof en)[]) {
      expect(params(zh[key]), key).toEqual(params(en[key]));
      expect(zh[key].trim(), key).not.toBe('');
    }
  });

  it('fill in parameters and change with the language', () => {
    expect(message('version', { version: '1.2.3' })).toBe('Version 1.2.3');
    speak('zh');
    expect(language()).toBe('zh');
    expect(message('version', { version: '1.2.3' })).toBe('版本 1.2.3');
    expect(messageIn('en', 'language_name')).toBe('English');
    expect(localStorage.getItem('sanbao.language')).toBe('zh');
  });

  it('count in the singular and the plural', () => {
    expect([0, 1, 2].map((n) => message('data_rows', { n }))).toEqual(['0 rows', '1 row', '2 rows']);
    expect(message('data_rows', { n: '1,200' })).toBe('1,200 rows');
  });

  it('know which names from Rust they have', () => {
    expect([isMessage('step_data'), isMessage('step_dance'), isMessage('toString')]).toEqual([true, false, false]);
  });

  it('start in the first language of the browser that Sanbao speaks', () => {
    expect(firstSpoken(['fr-FR', 'zh-Hant-TW', 'en'])).toBe('zh');
    expect(firstSpoken(['en-GB', 'zh'])).toBe('en');
    expect(firstSpoken(['zhx'])).toBe('en');
    expect(firstSpoken([])).toBe('en');
  });
});
