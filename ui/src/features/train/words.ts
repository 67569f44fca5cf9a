import type { Outcome } from '../../contract/Outcome';
import type { Progress } from '../../contract/Progress';
import type { RunState } from '../../contract/RunState';
import type { RunSummary } from '../../contract/RunSummary';
import { isMessage, message } from '../../messages/messages.svelte';
import { count, percent } from '../../messages/numbers';
import type { Entry, Happened } from './fold';

type Tone = 'neutral' | 'accent' | 'good' | 'warn' | 'bad';

const outcomes: Record<Outcome, { tone: Tone }> = {
  better: { tone: 'good' },
  worse: { tone: 'bad' },
  cannot_tell: { tone: 'warn' },
};

const states: Record<RunState, Tone> = {
  waiting: 'neutral',
  training: 'accent',
  judging: 'accent',
  stopped: 'warn',
  judged: 'good',
  failed: 'bad',
};

/** How a run stands, in a word or two, with a colour. */
export function badgeOf(run: RunSummary): { tone: Tone; text: string } {
  if (run.state === 'judged' && run.outcome) {
    return { tone: outcomes[run.outcome].tone, text: message(`train_outcome_${run.outcome}`) };
  }
  return { tone: states[run.state], text: message(`train_badge_${run.state}`) };
}

/** Whether something is being done for a run, or will be without asking. */
export function isActive(run: RunSummary): boolean {
  return run.state === 'waiting' || run.state === 'training' || run.state === 'judging';
}

/** Whether a run has something that could be judged and used. */
export function hasResult(run: RunSummary): boolean {
  return run.best_loss !== null || run.epochs.length > 0;
}

/** What is being done while a run is judged. */
export function judging(progress: Progress | null): string {
  const key = `train_judge_${progress?.stage}`;
  return isMessage(key) ? message(key) : message('train_judge');
}

/** The checkpoint that a run goes on from: the last that was heard of, else where it stands. */
export function goesOnFrom(run: RunSummary, log: readonly Entry[]): number {
  const heard = log.map((entry) => entry.happened).filter((one) => one.event === 'checkpoint');
  return heard.at(-1)?.step ?? run.step;
}

/** A line of the log in words. */
export function happenedText(happened: Happened): string {
  switch (happened.event) {
    case 'resumed':
      return message('train_log_resumed', { step: count(happened.step) });
    case 'validation':
      return message(happened.best ? 'train_log_validation_best' : 'train_log_validation', {
        step: count(happened.step),
        loss: loss(happened.loss),
      });
    case 'checkpoint':
      return message('train_log_checkpoint', { step: count(happened.step) });
    case 'epoch':
      return message('train_log_epoch', { epoch: count(happened.epoch) });
    case 'memory_halved':
      return message('train_log_memory_halved', { tokens: count(happened.micro_batch_tokens) });
    case 'early_stop':
      return message('train_log_early_stop', { step: count(happened.step), best: count(happened.best_step) });
    case 'sample':
      return message('train_log_sample', { step: count(happened.step) });
    case 'over_optimised':
      return message('train_log_over_optimised', {
        guard: guardName(happened.guard),
        step: count(happened.step),
        best: count(happened.best_step),
      });
  }
}

/** What fell while the reward rose. */
export function guardName(guard: string): string {
  const key = `train_guard_${guard}`;
  return isMessage(key) ? message(key) : guard;
}

/** A loss with three decimals. */
export function loss(value: number): string {
  return value.toFixed(3);
}

/** Figures that are shares of the pairs. */
const shares = ['rewards/accuracies', 'frac_reward_zero_std'];

/** The value of a figure as it is read: a share as per cent, a length whole, the rest with two decimals. */
export function figureValue(name: string, value: number): string {
  if (shares.includes(name)) return percent(value);
  return name === 'completions/mean_length' ? count(value) : value.toFixed(2).replace('-', '\u2212');
}

/** A figure of a recipe in words; nothing for one that is only of use to those who read the log file. */
export function figureWords(
  name: string,
  value: number,
): { word: string; term: string; text: string; value: string } | null {
  const key = `train_figure_${name.replaceAll('/', '_')}`;
  const text = `${key}_text`;
  if (!isMessage(key) || !isMessage(text)) return null;
  return {
    word: message(key),
    term: name,
    text: message(text),
    value: figureValue(name, value),
  };
}
