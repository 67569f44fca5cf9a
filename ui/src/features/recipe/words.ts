import type { Progress } from '../../contract/Progress';
import { isMessage, language, message } from '../../messages/messages.svelte';

/** A text that Rust brings in several languages; English where the current one is missing. */
export function inLanguage(texts: Record<string, string>): string {
  return texts[language()] ?? texts.en ?? '';
}

/** The plain name of a setting; its standard name where it has no other. */
export function settingName(name: string): string {
  const key = `recipe_setting_${name}`;
  return isMessage(key) ? message(key) : name;
}

/** The plain name of a setting of a rule; its standard name where it has no other. */
export function rewardSettingName(name: string): string {
  const key = `reward_setting_${name}`;
  return isMessage(key) ? message(key) : name;
}

/** A reward with two decimals and the minus sign proper. */
export function signed(value: number): string {
  const text = Math.abs(value).toFixed(2);
  return value < 0 && Number(text) !== 0 ? `\u2212${text}` : text;
}

/** A weight as it is set: `+1`, `−0.5`, `0`. */
export function signedWeight(weight: number): string {
  const size = String(Number(Math.abs(weight).toFixed(1)));
  if (size === '0') return size;
  return weight < 0 ? `\u2212${size}` : `+${size}`;
}

/** The short name of a recipe, for lists of runs. */
export function recipeName(recipe: string): string {
  const key = `recipe_name_${recipe}`;
  return isMessage(key) ? message(key) : recipe;
}

/** What kind of device it is. */
export function deviceKind(kind: string): string {
  const key = `recipe_device_${kind}`;
  return isMessage(key) ? message(key) : kind;
}

/** What is being done while a plan is worked out. */
export function planning(progress: Progress | null): string {
  const key = `recipe_plan_${progress?.stage}`;
  return isMessage(key) ? message(key) : message('recipe_planning');
}
