import { describe, expect, it } from 'vitest';

import type { Comparison } from '../../contract/Comparison';
import {
  directionOf,
  domainOf,
  figuresOf,
  forgotten,
  isHeadline,
  scoreText,
  tickText,
  ticks,
} from './figures';

function comparison(metric: string, before: number, after: number, more: Partial<Comparison> = {}): Comparison {
  const estimate = (value: number) => ({ value, low: value, high: value });
  return {
    metric,
    higher_is_better: true,
    before: estimate(before),
    after: estimate(after),
    difference: estimate(after - before),
    p_value: null,
    test: '',
    rows: 1,
    ...more,
  };
}

describe('figures', () => {
  it('follow the metric, as in the report', () => {
    const accuracy = figuresOf(comparison('accuracy', 0.1, 0.875));
    expect([accuracy.figure(0.875), accuracy.figure(0)]).toEqual(['87.5%', '0.0%']);
    expect([accuracy.difference(0.25), accuracy.difference(0.0001)]).toEqual(['+25.0', '0.0']);
    const chrf = figuresOf(comparison('chrf', 41.23, 9));
    expect([chrf.figure(41.23), chrf.difference(-3)]).toEqual(['41.2', '−3.0']);
    const loss = figuresOf(comparison('loss', 2.71, 0.94));
    expect([loss.figure(0.941), loss.difference(-1.769), loss.difference(0)]).toEqual(['0.94', '−1.77', '0.00']);
    expect(figuresOf(comparison('macro_f1', 0.5, 0.8)).figure(0.5)).toBe('0.500');
  });

  it('stand on the whole scale where there is one', () => {
    expect(domainOf(comparison('accuracy', 0.5, 0.8))).toEqual([0, 1]);
    expect(domainOf(comparison('chrf', 20, 40))).toEqual([0, 100]);
    expect(domainOf(comparison('mcc', -0.1, 0.4))).toEqual([-1, 1]);
    expect(domainOf(comparison('loss', 2, 1, { higher_is_better: false }))).toEqual([0, 2.16]);
  });

  it('are better or worse only beyond their interval', () => {
    const of = (low: number, high: number, higher_is_better: boolean) =>
      directionOf(comparison('x', 1, 1, { higher_is_better, difference: { value: 0, low, high } }));
    expect([of(0.1, 0.3, true), of(0.1, 0.3, false)]).toEqual(['better', 'worse']);
    expect([of(-0.3, -0.1, true), of(-0.3, -0.1, false)]).toEqual(['worse', 'better']);
    expect(of(-0.1, 0.1, true)).toBe('unclear');
  });

  it('have round ticks', () => {
    const text = (low: number, high: number) => ticks(low, high, 4).map((one) => tickText('loss', one));
    expect(text(0, 2.16)).toEqual(['0', '1', '2']);
    expect(text(1.13, 2.71)).toEqual(['1.5', '2', '2.5']);
    expect(ticks(0, 1, 4).map((one) => tickText('accuracy', one))).toEqual(['0%', '25%', '50%', '75%', '100%']);
    expect(ticks(1, 1, 4)).toEqual([]);
  });

  it('read well', () => {
    expect(scoreText('probability', 0.5)).toBe('50.0%');
    expect(scoreText('perplexity', 12.34)).toBe('12.3');
  });

  it('put the deciding metric in front', () => {
    expect(isHeadline('accuracy', 'classify', 'accuracy')).toBe(true);
    expect(isHeadline('mcc', 'classify', 'mcc')).toBe(true);
    expect(isHeadline('mcc', 'classify', 'accuracy')).toBe(false);
  });
});

it('forgetting is judged by the rise of perplexity', () => {
  const of = (after: number) => forgotten({ before: 100, after, tokens: 1 });
  expect(of(97)).toEqual({ forgot: 'improved', change: '−3.0%' });
  expect([of(101.9), of(109), of(129), of(131)].map((one) => one.forgot)).toEqual(['none', 'little', 'some', 'much']);
});
