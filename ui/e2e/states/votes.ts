import type { Page } from '@playwright/test';

import type { Ballot } from '../../src/contract/Ballot';
import type { Choice } from '../../src/contract/Choice';
import type { FeedbackStats } from '../../src/contract/FeedbackStats';
import type { World } from '../world';
import { answer } from '../wire';

const questions = {
  en: ['Where is my parcel?', 'My lamp arrived broken. What can I do now, and who pays for sending it back?', 'How long does a refund take?'],
  zh: ['我的包裹到哪儿了？', '台灯到货时已经碎了，现在该怎么办？退货的运费由谁承担？', '退款需要多久？'],
};
const answers = {
  en: [
    'It left our warehouse yesterday and should be with you by Friday. You find the tracking number in our last e-mail.',
    'Your parcel is on its way.',
  ],
  zh: ['包裹昨天已经出库，预计周五送达。物流单号在我们发给你的最后一封邮件里。', '你的包裹已经在路上了。'],
};
const names = { en: { base: 'tiny-llama', run: 'Instructions, balanced' }, zh: { base: 'tiny-llama', run: '指令微调，均衡' } };

const choices: Choice[] = [
  { kind: 'best', answer: 0 },
  { kind: 'tie' },
  { kind: 'stars', stars: [5, 2] },
  { kind: 'thumbs', up: [true, false] },
  { kind: 'skip' },
];

/** Who voted: oneself, and two others of whom one has a long name. */
const raters = ['', 'Ann', 'Maria Magdalena von Hohenstein-Wernigerode', 'Ann', ''];

function ballot({ language }: World, id: number, run: string | null, isVoted: boolean): Ballot {
  const { base, run: tuned } = names[language];
  const who = [
    { name: tuned, run, epoch: null, sampling: null },
    { name: base, run: null, epoch: null, sampling: null },
  ];
  const choice = choices[id % choices.length]!;
  return {
    id,
    prompt: [{ role: 'user', content: questions[language][id % 3]! } as Ballot['prompt'][number]],
    answers: answers[language].map((text, at) => ({ text, author: isVoted ? who[at]! : null })),
    vote: isVoted ? { choice, rater: raters[id % raters.length]!, at: 0, seconds: 7 } : null,
  };
}

/** What the votes say, as `sanbao_feedback` would. */
function statsOf({ language }: World, votes: number, ballots: number): FeedbackStats {
  const { base: second, run: first } = names[language];
  const share = (value: number, low: number, high: number, of: number) => ({ value, low, high, of });
  return {
    ballots,
    votes: votes - 3,
    skipped: 3,
    pairs: 31,
    unpaired: 24,
    edits: 0,
    median_seconds: 7,
    duels: [{ first, second, first_wins: 26, second_wins: 9, ties: 5, win_rate: share(0.7125, 0.56, 0.83, 40), p_value: 0.006 }],
    longer_preferred: share(0.78, 0.62, 0.88, 31),
    agreement: 0.45,
    judged_by_several: 12,
  };
}

/** Lets a project have votes of several people, and ballots that wait. */
export async function withVotes(page: Page, world: World, voted: number, waiting: number, run: string | null = 'r1'): Promise<void> {
  await answer(page, 'feedback', ({ filter, offset, limit }) => {
    const all = Array.from({ length: voted + waiting }, (_, at) => ballot(world, at + 1, run, at < voted));
    const found = all.filter(({ vote }) => filter === 'all' || (filter === 'open') === (vote === null));
    const stats = statsOf(world, voted, all.length);
    return { ballots: found.slice(offset, offset + limit), total: found.length, stats, writing: waiting > 0 ? 2 : 0 };
  });
}
