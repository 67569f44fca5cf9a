import { beforeEach, describe, expect, it } from 'vitest';

import type { Verdict } from '../../contract/Verdict';
import { speak } from '../../messages/messages.svelte';
import { forgettingSentence, metricWords, sentenceOf } from './sentences';

const verdict = {
  task: 'classify',
  sentence: 'Better: English from Rust.',
  sentence_code: 'classify.better',
  sentence_params: { rows: '144', before: '54.2', after: '88.9', low: '+25.7', high: '+43.1' },
} as unknown as Verdict;

describe('the verdict', () => {
  beforeEach(() => speak('en'));

  it('is said in the current language, the answer first', () => {
    expect(sentenceOf(verdict).lead).toBe('Better:');
    expect(sentenceOf(verdict).rest).toContain('on 144 rows never seen in training');
    speak('zh');
    expect(sentenceOf(verdict)).toMatchObject({ lead: '变好了：', lang: 'zh' });
    expect(sentenceOf(verdict).rest).toContain('144 行上');
  });

  it('counts one row, and passages of prose', () => {
    const one = { ...verdict, sentence_params: { ...verdict.sentence_params, rows: '1' } };
    expect(sentenceOf(one).rest).toContain('on 1 row never');
    const prose = { ...verdict, task: 'prose', sentence_code: 'prose.better' } as Verdict;
    expect(sentenceOf(prose).rest).toContain('144 passages');
  });

  it('is said of rewards, and of likes as of choices', () => {
    const params = { rows: '48', metric_before: '0.42', metric_after: '0.83', win_rate: '81.2' };
    const reward = { ...verdict, sentence_code: 'reward.better', sentence_params: params };
    expect(sentenceOf(reward)).toMatchObject({ lead: 'Better:', lang: 'en' });
    expect(sentenceOf(reward).rest).toContain('rewarded more (0.83, before 0.42) and win 81.2% of the time');
    for (const code of ['reward.worse', 'reward.unclear', 'reward.nothing_changed']) {
      expect(sentenceOf({ ...reward, sentence_code: code }).rest, code).toContain('81.2%');
    }
    const judge = { ...verdict, task: 'preference', sentence_code: 'reward_model.better' } as Verdict;
    expect(sentenceOf(judge).rest).toContain('the reward model scores the preferred answer higher');
    const liked = { ...verdict, task: 'unpaired', sentence_code: 'unpaired.better' } as Verdict;
    expect(sentenceOf(liked)).toEqual(sentenceOf({ ...verdict, sentence_code: 'preference.better' }));
  });

  it('falls back to what Rust says for a code or values that are not known here', () => {
    const newer = { ...verdict, sentence_code: 'classify.much_better' };
    speak('zh');
    expect(sentenceOf(newer)).toEqual({ lead: 'Better:', rest: ' English from Rust.', lang: 'en' });
    expect(sentenceOf({ ...verdict, sentence_params: {} }).lang).toBe('en');
  });

  it('never reads a label as a template', () => {
    const code = 'classify.better_not_above_majority';
    const params = { ...verdict.sentence_params, majority: '50', majority_label: '{after}' };
    expect(sentenceOf({ ...verdict, sentence_code: code, sentence_params: params }).rest).toContain('“{after}”');
  });
});

it('forgetting and metrics have words', () => {
  speak('en');
  expect(forgettingSentence({ before: 20, after: 25, tokens: 1 })).toBe(
    'The model forgot noticeably: perplexity on general text 25.0, before 20.0 (+25.0%); fewer epochs or a lower learning rate would keep more.',
  );
  expect(metricWords('macro_f1').term).toBe('Macro-F1');
  expect(metricWords('new_metric')).toEqual({ word: 'new_metric', term: 'new_metric', text: '' });
});
