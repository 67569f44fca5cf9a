import { expect, it } from 'vitest';

import { aModel } from '../../platform/fake-data';
import { found, languagesOf, noFilters } from './filters';

const licence = (commercial_use: boolean | null) => ({ id: 'x', commercial_use, redistribution: null, summary: '' });
const models = [
  aModel({ id: 'far', name: 'Far 7B', installed: false, languages: ['zh', 'en'], licence: licence(null), fits: { run: true, lora: false, full: false } }),
  aModel({ id: 'starter' }),
  aModel({ id: 'research', name: 'Research', licence: licence(false), languages: ['en'], fits: { run: true, lora: true, full: false } }),
];
const ids = (filters: Partial<typeof noFilters>) => found(models, { ...noFilters, ...filters }).map((model) => model.id);

it('models of this machine stand first', () => {
  expect(ids({})).toEqual(['starter', 'research', 'far']);
});

it('models are found by what a person wants of them', () => {
  expect(ids({ search: '7b FAR' })).toEqual(['far']);
  expect(ids({ search: '小而快' })).toHaveLength(3);
  expect(ids({ place: 'here' })).toEqual(['starter', 'research']);
  // Not known is not yes.
  expect(ids({ sellable: true })).toEqual(['starter']);
  expect(ids({ language: 'zh' })).toEqual(['far']);
  expect(ids({ fits: 'lora' })).toEqual(['starter', 'research']);
  expect(ids({ fits: 'full', sellable: true, place: 'here', language: 'en' })).toEqual(['starter']);
});

it('languages are offered by how many models know them', () => {
  expect(languagesOf(models)).toEqual(['en', 'zh']);
});
