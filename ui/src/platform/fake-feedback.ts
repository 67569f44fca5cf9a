import type { Ballot } from '../contract/Ballot';
import type { FeedbackStats } from '../contract/FeedbackStats';
import type { Answers } from './fake';
import { aStats, aVotedBallot } from './fake-data';

/** Answers requests about feedback as Rust does: votes are kept, authors are told once there is a vote. */
export function fakeFeedback(ballots: Ballot[], parts: Partial<FeedbackStats> = {}): Answers {
  const hidden = new Map(ballots.map((ballot) => [ballot.id, ballot]));
  const all = () => [...hidden.values()];
  const votes = () => all().flatMap(({ vote }) => vote ?? []);
  const stats = () =>
    aStats({
      ballots: hidden.size,
      votes: votes().filter(({ choice }) => choice.kind !== 'skip').length,
      skipped: votes().filter(({ choice }) => choice.kind === 'skip').length,
      ...parts,
    });
  return {
    feedback({ filter, offset, limit }) {
      const found = all().filter(({ vote }) => filter === 'all' || (filter === 'open') === (vote === null));
      return { ballots: found.slice(offset, offset + limit), total: found.length, stats: stats(), writing: 0 };
    },
    vote({ ballot: id, choice, seconds }) {
      const found = hidden.get(id);
      if (!found) throw { code: 'project.no_ballot', message: `There is no ballot ${id}.`, params: {} };
      const answers = found.answers.map(({ text }) => ({ text, author: null }));
      const plain = { ...found, answers, vote: null };
      const ballot = choice === null ? plain : aVotedBallot(plain, choice, seconds);
      hidden.set(id, ballot);
      return { ballot };
    },
    delete_ballot({ ballot }) {
      hidden.delete(ballot);
    },
  };
}
