import type { ChatModel } from '../../contract/ChatModel';

/** Who answers the questions of ballots. */
export const authorship = ['base', 'run', 'both'] as const;
export type Authorship = (typeof authorship)[number];

/** As many answers as are wanted; where both answer they take turns, the trained model first. */
export function authorsOf(who: Authorship, run: string | null, answers: number): ChatModel[] {
  const base: ChatModel = { kind: 'base' };
  const trained: ChatModel | null = run === null ? null : { kind: 'run', run, epoch: null };
  const turns = who === 'base' || !trained ? [base] : who === 'run' ? [trained] : [trained, base];
  return Array.from({ length: answers }, (_, at) => turns[at % turns.length]!);
}
