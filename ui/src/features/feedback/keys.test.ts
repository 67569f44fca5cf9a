import { expect, it } from 'vitest';

import { wishOf, type Scene } from './keys';

const scene = (parts: Partial<Scene> = {}): Scene => ({ mode: 'best', answers: 2, isPicking: false, ...parts });
const press = (key: string, parts: Partial<Scene> = {}, held: Partial<KeyboardEvent> = {}) =>
  wishOf({ key, ctrlKey: false, metaKey: false, altKey: false, ...held }, scene(parts));

it('numbers choose among the answers that are there', () => {
  expect(press('2')).toEqual({ do: 'best', answer: 1 });
  expect(press('3')).toBeNull();
  expect(press('3', { answers: 4 })).toEqual({ do: 'best', answer: 2 });
});

it('letters judge in every mode, capital or small', () => {
  for (const mode of ['best', 'thumbs', 'stars'] as const) {
    expect([press('t', { mode }), press('0', { mode }), press('X', { mode })]).toEqual([{ do: 'tie' }, { do: 'tie' }, { do: 'all_bad' }]);
    expect([press('s', { mode }), press('u', { mode })]).toEqual([{ do: 'skip' }, { do: 'undo' }]);
  }
  expect(press('z', {}, { ctrlKey: true })).toEqual({ do: 'undo' });
});

it('leaves the keys of browser and system alone', () => {
  expect(press('s', {}, { ctrlKey: true })).toBeNull();
  expect(press('1', {}, { altKey: true })).toBeNull();
  expect(press('Tab')).toBeNull();
  expect(press('Enter')).toBeNull();
});

it('asks which answer is to be edited', () => {
  expect(press('e')).toEqual({ do: 'pick' });
  expect(press('1', { isPicking: true })).toEqual({ do: 'edit', answer: 0 });
  expect(press('5', { isPicking: true })).toBeNull();
  expect(press('Escape', { isPicking: true })).toEqual({ do: 'leave' });
  expect(press('t', { isPicking: true })).toBeNull();
});

it('gives thumbs and stars, moves and sends', () => {
  expect([press('ArrowUp', { mode: 'thumbs' }), press('-', { mode: 'thumbs' })]).toEqual([
    { do: 'mark', value: 1 },
    { do: 'mark', value: 0 },
  ]);
  expect(press('2', { mode: 'thumbs' })).toEqual({ do: 'select', answer: 1 });
  expect([press('5', { mode: 'stars' }), press('6', { mode: 'stars' })]).toEqual([{ do: 'mark', value: 5 }, null]);
  expect(press('ArrowLeft', { mode: 'stars' })).toEqual({ do: 'move', by: -1 });
  expect(press('Enter', { mode: 'stars' })).toEqual({ do: 'send' });
});
