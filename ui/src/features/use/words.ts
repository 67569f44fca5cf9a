import type { ChatModel } from '../../contract/ChatModel';
import type { Progress } from '../../contract/Progress';
import type { Project } from '../../contract/Project';
import type { RunSummary } from '../../contract/RunSummary';
import { isMessage, message } from '../../messages/messages.svelte';
import { count } from '../../messages/numbers';

/** Whether the rows are texts with labels: then each text is judged for itself. */
export function isLabelling({ files }: Project): boolean {
  return files.length > 0 && files.every((file) => (file.mapping ?? file.recognition.mapping).shape === 'text_label');
}

/** Runs that have something to use. */
export function usable(runs: readonly RunSummary[]): RunSummary[] {
  return runs.filter((run) => run.state === 'judged' || run.epochs.length > 0 || run.best_loss !== null);
}

/** Whether a run made a reward model, which scores answers and writes none. */
export function scores(run: RunSummary): boolean {
  return run.recipe === 'reward_model';
}

/** Who answers, in a few words. */
export function answererName(model: ChatModel): string {
  if (model.kind === 'base') return message('use_base');
  if (model.epoch === null) return message('use_trained');
  return message('use_trained_epoch', { epoch: count(model.epoch) });
}

/** What is being done while a model is exported. */
export function exporting(progress: Progress | null): string {
  const key = `use_export_${progress?.stage}`;
  return isMessage(key) ? message(key) : message('use_exporting');
}

/** What is being done while a file is answered. */
export function answering(progress: Progress | null): string {
  const key = `use_file_${progress?.stage}`;
  return isMessage(key) ? message(key) : message('use_file_beginning');
}

/** How fast an answer came; nothing for one that was too short to tell. */
export function speed(tokens: number, seconds: number): string {
  const told = message('use_tokens', { number: count(tokens) });
  if (tokens < 2 || seconds <= 0) return told;
  return `${told} · ${message('use_per_second', { number: rate(tokens / seconds) })}`;
}

function rate(perSecond: number): string {
  return perSecond < 100 ? perSecond.toFixed(1) : count(perSecond);
}

/** A very small or ordinary number with two digits: `3.8e-6`, `0.014`. */
export function twoDigits(value: number): string {
  if (value !== 0 && value < 0.001) return value.toExponential(1);
  return String(Number(value.toPrecision(2)));
}

/** The plain name of an option of an export; its standard name where it has no other. */
export function optionName(name: string): string {
  const key = `use_option_${name}`;
  return isMessage(key) ? message(key) : name;
}
