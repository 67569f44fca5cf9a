import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import en from './en.json';
import zh from './zh.json';

const repository = join(import.meta.dirname, '..', '..', '..');

/** Sources of Rust that can give a fault; tests make up codes of their own. */
const sources = ['crates', 'src-tauri']
  .flatMap((folder) => readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)))
  .filter((path) => /[/\\]src[/\\].*\.rs$/.test(path) && !/[/\\]tests?[/\\.]/.test(path))
  .map((path) => readFileSync(join(repository, path), 'utf8'));

/** The first half of a code: the room that it comes from, most often a crate. */
const rooms = 'app|data|desktop|evaluate|export|feedback|hub|infer|models|project|reward|rpc|serve|text|train|worker';

/** What looks like a code and is none: names of files, of verdicts, and of what is told on the way. */
const others = new Set(['feedback.jsonl', 'project.db', 'train.tokens', 'reward.better', 'reward.worse', 'reward.unclear', 'reward.nothing_changed']);

/** Every code, with the texts of the files that it stands in. */
const codes = new Map<string, string[]>();
for (const source of sources) {
  const text = source.replace(/#\[cfg\(test\)\]\s*mod [\s\S]*$/, '');
  for (const [, code] of text.matchAll(new RegExp(`"((?:${rooms})\\.[a-z][a-z0-9_]*)"`, 'g'))) {
    if (!others.has(code!)) codes.set(code!, [...(codes.get(code!) ?? []), text]);
  }
}

const keyOf = (code: string) => `fault_${code.replaceAll('.', '_')}`;

describe('what can go wrong in Rust', () => {
  it('is found in its sources', () => {
    expect(codes.size).toBeGreaterThan(200);
    expect([...codes.keys()]).toEqual(expect.arrayContaining(['data.no_rows', 'app.no_base', 'worker.other_base', 'desktop.open']));
  });

  it.each([
    ['English', en],
    ['Chinese', zh],
  ])('has a sentence in %s', (_, messages: Record<string, string>) => {
    expect([...codes.keys()].filter((code) => !(keyOf(code) in messages)).sort()).toEqual([]);
  });

  it('is the only thing that has sentences', () => {
    const known = new Set([...codes.keys()].map(keyOf));
    const ours = Object.keys(en).filter((key) => key.startsWith('fault_') && key !== 'fault_unreachable');
    expect(ours.filter((key) => !known.has(key))).toEqual([]);
  });

  // A sentence that waits for a value which never comes is never said: Rust's English one is.
  it('brings the values that its sentence is made of', () => {
    const messages: Record<string, string> = en;
    const lacking = [...codes].flatMap(([code, texts]) => {
      const needed = [...(messages[keyOf(code)] ?? '').matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
      return needed.filter((name) => !texts.some((text) => text.includes(`"${name}"`))).map((name) => `${code}: ${name}`);
    });
    expect(lacking).toEqual([]);
  });
});
