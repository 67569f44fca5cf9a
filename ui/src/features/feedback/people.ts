import type { Ballot } from '../../contract/Ballot';
import { message } from '../../messages/messages.svelte';

/** Somebody who voted. */
export interface Person {
  /** As votes name them; empty for the person at this machine. */
  rater: string;
  /** Their votes, skipped ballots left out. */
  votes: number;
}

/** Who voted, and how often: the person at this machine first, then by the number of votes. */
export function peopleOf(ballots: readonly Ballot[]): Person[] {
  const votes = new Map<string, number>();
  for (const { vote } of ballots) {
    if (vote) votes.set(vote.rater, (votes.get(vote.rater) ?? 0) + (vote.choice.kind === 'skip' ? 0 : 1));
  }
  const people = [...votes].map(([rater, votes]) => ({ rater, votes }));
  return people.sort((one, other) => Number(other.rater === '') - Number(one.rater === '') || other.votes - one.votes);
}

/** What a person is called. */
export function personName(rater: string): string {
  return rater === '' ? message('feedback_you') : rater;
}
