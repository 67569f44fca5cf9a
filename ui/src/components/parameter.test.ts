import { describe, expect, it } from 'vitest';

import { speak } from '../messages/messages.svelte';
import { choiceName, rangeOf, typed, written } from './parameter';

describe('values', () => {
  it('are read as people type them', () => {
    const rate = { kind: 'number', low: 1e-8, high: 1 } as const;
    expect(typed(rate, ' 2e-4 ')).toEqual({ value: 0.0002 });
    expect(typed(rate, '0,001')).toEqual({ value: 0.001 });
    expect([typed(rate, ''), typed(rate, '2'), typed(rate, 'fast')]).toEqual([
      { bad: true },
      { bad: true },
      { bad: true },
    ]);
    const epochs = { kind: 'integer', low: 1, high: 1000 } as const;
    expect(typed(epochs, '3')).toEqual({ value: 3 });
    expect([typed(epochs, '1.5'), typed(epochs, '0'), typed(epochs, '1e2')]).toEqual([
      { bad: true },
      { bad: true },
      { bad: true },
    ]);
    expect(typed({ kind: 'names' }, 'q_proj, v_proj')).toEqual({ value: 'q_proj, v_proj' });
    expect(typed({ kind: 'names' }, '  ')).toEqual({ bad: true });
    expect(typed({ kind: 'flag' }, 'true')).toEqual({ value: true });
    expect(typed({ kind: 'choice', choices: ['cosine'] }, 'up')).toEqual({ bad: true });
  });

  it('are texts as they are, and lists of texts one a line', () => {
    expect(typed({ kind: 'text' }, ' as it is ')).toEqual({ value: ' as it is ' });
    expect(typed({ kind: 'lines' }, 'one\r\n\n  \ntwo')).toEqual({ value: ['one', 'two'] });
    expect(typed({ kind: 'lines' }, ' \n')).toEqual({ bad: true });
    expect(written(['one', 'two'])).toBe('one\ntwo');
  });

  it('are written as people would type them', () => {
    expect([0.0002, 0.001, 3, 0, 1e-8, 0.05, true, 'all-linear'].map(written)).toEqual([
      '0.0002',
      '0.001',
      '3',
      '0',
      '1e-8',
      '0.05',
      'true',
      'all-linear',
    ]);
  });

  it('have a range where there is a real one', () => {
    expect(rangeOf({ kind: 'number', low: 1e-8, high: 1 })).toEqual({ low: '1e-8', high: '1' });
    expect(rangeOf({ kind: 'integer', low: 0, high: 2 ** 63 })).toBeNull();
    expect(rangeOf({ kind: 'flag' })).toBeNull();
  });
});

it('choices have plain names, languages those of their codes, and others their own', () => {
  speak('zh');
  expect([choiceName('unit', 'words'), choiceName('language', 'pt'), choiceName('loss_type', 'dapo')]).toEqual(['词', '葡萄牙语', 'dapo']);
  speak('en');
  expect([choiceName('measure', 'rouge_l'), choiceName('language', 'auto')]).toEqual(['The same words in the same order', 'By the letters of each answer']);
});
