import type { Step } from '../../state/route';

/** What helps against a refusal: another recipe, the proposed settings, another device, another step. */
export type Remedy = 'recommended' | 'reset' | 'device' | Step;

const byCode: Record<string, Remedy[]> = {
  'train.recipe_does_not_fit': ['recommended', 'data'],
  'train.unknown_recipe': ['recommended'],
  'train.bad_setting': ['reset'],
  'train.unknown_setting': ['reset'],
  'train.no_targets': ['reset'],
  'train.nothing_to_learn': ['data'],
  'train.out_of_memory': ['model', 'device'],
  'worker.unknown_device': ['device'],
  'worker.failed_self_check': ['device'],
};

/** The rooms whose faults are mended in one step. */
const byRoom: Record<string, Remedy[]> = { data: ['data'], models: ['model'], text: ['model'], hub: ['model'] };

/** What helps against a refusal of this code; nothing when only trying again may. */
export function remediesOf(code: string): Remedy[] {
  return byCode[code] ?? byRoom[code.split('.')[0]!] ?? [];
}
