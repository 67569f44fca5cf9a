import { beforeEach, describe, expect, it } from 'vitest';

import { speak } from './messages.svelte';
import { ago, bytes, count, duration, languageName, percent, percentChange, points, roughly, wholePercent } from './numbers';

describe('numbers', () => {
  beforeEach(() => speak('en'));

  it('read well', () => {
    expect(count(134_515_008)).toBe('134,515,008');
    expect([roughly(134_515_008), roughly(4_884_480)]).toEqual(['135M', '4.88M']);
    expect([percent(0.0363), percent(0.016), percent(0.889), percent(1)]).toEqual(['3.6%', '1.6%', '88.9%', '100.0%']);
    expect([bytes(0), bytes(999), bytes(98_362_432), bytes(4.6e9)]).toEqual(['0 B', '999 B', '98.4 MB', '4.6 GB']);
  });

  it('tell shares with as many digits as the one beside', () => {
    expect([percent(0.003), percent(0.733), percent(0), percent(0.0002)]).toEqual(['0.3%', '73.3%', '0.0%', '<0.1%']);
    expect([wholePercent(0.424), percentChange(0.25), percentChange(-0.021)]).toEqual(['42%', '+25.0%', '\u22122.1%']);
    expect([points(0.04), points(-0.125), points(0.0001)]).toEqual(['+4.0', '\u221212.5', '0.0']);
    speak('zh');
    expect([percent(0.733), percentChange(0.25)]).toEqual(['73.3%', '+25.0%']);
  });

  it('tell times in the units that matter', () => {
    expect([48.2, 252, 1790, 7500, 90_000, 60].map(duration)).toEqual([
      '48 sec',
      '4 min 12 sec',
      '30 min',
      '2 hr 5 min',
      '1 day 1 hr',
      '1 min',
    ]);
  });

  it('tell moments as people say them', () => {
    const now = Date.UTC(2026, 10, 23, 12);
    const before = (seconds: number) => ago(now - 1000 * seconds, now);
    expect([5, 119, 7200, 90_000, 30 * 86_400].map(before)).toEqual([
      'just now',
      '1 minute ago',
      '2 hours ago',
      'yesterday',
      '24 Oct 2026',
    ]);
    expect(ago(now + 5000, now)).toBe('just now');
  });

  it('name languages', () => {
    expect([languageName('zh'), languageName('en')]).toEqual(['Chinese', 'English']);
  });

  it('speak Chinese', () => {
    speak('zh');
    expect(roughly(134_515_008)).toBe('1.35亿');
    expect(duration(252)).toBe('4分钟 12秒');
  });
});
