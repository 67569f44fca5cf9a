import { beforeEach, expect, it } from 'vitest';

import type { Choice } from '../../contract/Choice';
import { speak } from '../../messages/messages.svelte';
import { aBallot, aVotedBallot } from '../../platform/fake-data';
import { peopleOf, personName } from './people';

beforeEach(() => speak('en'));

const voted = (id: number, rater: string, choice: Choice = { kind: 'tie' }) => {
  const ballot = aVotedBallot(aBallot(id), choice);
  return { ...ballot, vote: { ...ballot.vote!, rater } };
};

it('people are counted by their votes, oneself first', () => {
  const ballots = [voted(1, 'Ann'), voted(2, 'Ann'), voted(3, 'Li Wei'), voted(4, ''), voted(5, 'Ann', { kind: 'skip' }), aBallot(6)];
  expect(peopleOf(ballots)).toEqual([
    { rater: '', votes: 1 },
    { rater: 'Ann', votes: 2 },
    { rater: 'Li Wei', votes: 1 },
  ]);
  expect(peopleOf([])).toEqual([]);
});

it('people have names, oneself as well', () => {
  expect([personName('Ann'), personName('')]).toEqual(['Ann', 'You']);
  speak('zh');
  expect(personName('')).toBe('你');
});
