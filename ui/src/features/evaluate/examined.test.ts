import { describe, expect, it } from 'vitest';

import { anExamined } from '../../platform/fake-data';
import { correlationText, curveOf, heldAgainst, lengthMeaning } from './examined';

describe('length', () => {
  it('is said in words, in both directions', () => {
    expect([-0.9, -0.6, -0.1, 0, 0.2, 0.61].map(lengthMeaning)).toEqual([
      'doctor_length_shorter_much',
      'doctor_length_shorter_some',
      'doctor_length_none',
      'doctor_length_none',
      'doctor_length_longer_some',
      'doctor_length_longer_much',
    ]);
  });

  it('has a sign unless it is nothing', () => {
    expect([0.314, -0.314, -0.001, 0].map(correlationText)).toEqual(['+0.31', '−0.31', '0.00', '0.00']);
  });
});

it('the model comes first, then what it has to beat', () => {
  const held = heldAgainst(anExamined());
  expect(held.map(({ name, share }) => [name, share.value])).toEqual([['model', 0.82], ['longer', 0.55], ['untuned', 0.6]]);
});

describe('the learning curve', () => {
  it('is drawn from the first pairs to the last, from guessing to all right', () => {
    const curve = curveOf([{ pairs: 300, accuracy: 0.9 }, { pairs: 100, accuracy: 0.5 }, { pairs: 200, accuracy: 0.75 }])!;
    expect(curve.points.map(({ x, y }) => [x, y])).toEqual([[0, 0], [0.5, 0.5], [1, 0.8]]);
    expect([curve.first.pairs, curve.last.pairs]).toEqual([100, 300]);
    expect(curve.marks.map(({ share }) => share)).toEqual([0.5, 0.75, 1]);
  });

  it('has room for what is worse than guessing', () => {
    const curve = curveOf([{ pairs: 1, accuracy: 0.32 }, { pairs: 2, accuracy: 1 }])!;
    expect(curve.points[0]!.y).toBeGreaterThan(0);
    expect(curve.points[1]!.y).toBe(1);
  });

  it('needs two points', () => {
    expect(curveOf([])).toBeNull();
    expect(curveOf([{ pairs: 5, accuracy: 0.5 }])).toBeNull();
    expect(curveOf([{ pairs: 5, accuracy: 0.5 }, { pairs: 5, accuracy: 0.6 }])).toBeNull();
  });
});
