import { expect, it } from 'vitest';

import { isFound } from './search';

it('settings are found by every word of what is looked for', () => {
  const texts = ['learning_rate', 'Step size', 'How large each step is'];
  expect(isFound('', texts)).toBe(true);
  expect(isFound('STEP rate', texts)).toBe(true);
  expect(isFound('rank', texts)).toBe(false);
});
