import type { ModelEntry } from '../../contract/ModelEntry';

/** What a person looks for among the base models. */
export interface ModelFilters {
  search: string;
  place: 'all' | 'here';
  /** Only those whose licence lets one sell what is made with them. */
  sellable: boolean;
  /** BCP 47; any when empty. */
  language: string;
  /** What this machine has to be able to do with it. */
  fits: 'any' | 'run' | 'lora' | 'full';
}

export const noFilters: ModelFilters = { search: '', place: 'all', sellable: false, language: '', fits: 'any' };

/** The models that fit, those on this machine first, the order otherwise kept. */
export function found(models: readonly ModelEntry[], filters: ModelFilters): ModelEntry[] {
  const fitting = models.filter((model) => passes(model, filters));
  return [...fitting.filter((model) => model.installed), ...fitting.filter((model) => !model.installed)];
}

/** Every language that a model says it knows, the most frequent first. */
export function languagesOf(models: readonly ModelEntry[]): string[] {
  const counts = new Map<string, number>();
  for (const tag of models.flatMap((model) => model.languages)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([tag]) => tag);
}

function passes(model: ModelEntry, { search, place, sellable, language, fits }: ModelFilters): boolean {
  const words = search.toLowerCase().split(/\s+/);
  const texts = [model.name, model.id, ...Object.values(model.summary)].join('\n').toLowerCase();
  return (
    words.every((word) => texts.includes(word)) &&
    (place === 'all' || model.installed) &&
    (!sellable || model.licence.commercial_use === true) &&
    (language === '' || model.languages.includes(language)) &&
    (fits === 'any' || model.fits[fits])
  );
}
