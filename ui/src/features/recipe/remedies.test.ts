import { expect, it } from 'vitest';

import { remediesOf } from './remedies';

it('a refusal has a remedy by its code, or by the room that it comes from', () => {
  expect(remediesOf('train.bad_setting')).toEqual(['reset']);
  expect(remediesOf('data.single_class')).toEqual(['data']);
  expect(remediesOf('models.unreadable')).toEqual(['model']);
  expect(remediesOf('train.io')).toEqual([]);
});
