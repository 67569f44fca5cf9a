import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import en from '../../messages/en.json';
import zh from '../../messages/zh.json';

const declared = join(import.meta.dirname, '../../../../crates/train/src/recipes/parameters/declared.rs');
const names = [...readFileSync(declared, 'utf8').matchAll(/^ {4}"(\w+)",$/gm)].map(([, name]) => name!);

it.each([
  ['English', en],
  ['Chinese', zh],
])('every setting of a recipe has a plain name in %s', (_, messages: Record<string, string>) => {
  expect(names.length).toBeGreaterThan(35);
  expect(names.filter((name) => !(`recipe_setting_${name}` in messages))).toEqual([]);
});
