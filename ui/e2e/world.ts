import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { test as base, type Page } from '@playwright/test';

import type { Mapping } from '../src/contract/Mapping';
import type { Project } from '../src/contract/Project';
import type { RecipeChoice } from '../src/contract/RecipeChoice';
import type { RunState } from '../src/contract/RunState';
import type { RunSummary } from '../src/contract/RunSummary';
import en from '../src/messages/en.json' with { type: 'json' };
import zh from '../src/messages/zh.json' with { type: 'json' };
import type { Place } from '../src/state/route';
import { inRepository, Server } from './server';

export type Language = 'en' | 'zh';
export type Key = keyof typeof en;

const messages: Record<Language, Record<Key, string>> = { en, zh };

/** What the prepared projects are called. */
const names = {
  empty: { en: 'A fresh idea', zh: '新的想法' },
  ready: { en: 'Customer support', zh: '客服分类' },
  flawed: { en: 'Reviews, as exported from the shop', zh: '从店铺导出的评价' },
  pairs: { en: 'Better answers', zh: '更好的回答' },
  judged: { en: 'Who should answer this message?', zh: '这条消息该由谁来回答？' },
  questions: { en: 'Questions of our customers', zh: '客户的问题' },
  replies: { en: 'Replies in our own tone', zh: '用我们的语气回复' },
  stopped: { en: 'Tickets of the second half of the year', zh: '下半年的工单' },
  trained: { en: 'Messages of today', zh: '今天的消息' },
  broken: { en: 'From another machine', zh: '来自另一台电脑' },
} as const;

export type Prepared = keyof typeof names;

/** A server whose projects are in every state that a person meets. */
export class World {
  readonly server: Server;
  readonly language: Language;
  readonly #projects = new Map<Prepared, string>();
  /** Path of the tiny model. */
  model = '';

  constructor(server: Server, language: Language) {
    this.server = server;
    this.language = language;
  }

  /** A message of the window in the world's language. */
  say(key: Key, params: Record<string, string | number> = {}): string {
    return say(this.language, key, params);
  }

  /** Id of a prepared project. */
  id(project: Prepared): string {
    const id = this.#projects.get(project);
    if (id === undefined) throw new Error(`The project '${project}' is not prepared.`);
    return id;
  }

  name(project: Prepared): string {
    return names[project][this.language];
  }

  async project(project: Prepared): Promise<Project> {
    return (await this.server.call({ request: 'project', project: this.id(project) })).project;
  }

  /** Opens home, or a place in a prepared project, in a page that was not used yet. */
  async open(page: Page, project?: Prepared, step?: Place): Promise<void> {
    await page.addInitScript((token) => sessionStorage.setItem('sanbao.token', token), this.server.token);
    const route = project && step ? `#/project/${this.id(project)}/${step}` : '';
    await page.goto(`${this.server.address}/${route}`);
  }

  /** A new project that has a name and nothing else. */
  async create(project: Prepared): Promise<string> {
    const created = await this.server.call({ request: 'create_project', name: this.name(project) });
    this.#projects.set(project, created.project.summary.id);
    return created.project.summary.id;
  }

  /** A new project on the tiny model. */
  async createOnModel(project: Prepared): Promise<string> {
    const id = await this.create(project);
    await this.server.call({ request: 'choose_base', project: id, model: this.model });
    return id;
  }

  /** A file in the server's home. */
  async write(name: string, text: string): Promise<string> {
    const path = join(this.server.home, name);
    await writeFile(path, text);
    return path;
  }

  /** Begins a run on the processor. */
  async start(project: Prepared, chosen: Record<string, unknown>, parts: Partial<RecipeChoice> = {}): Promise<RunSummary> {
    const { recipe } = await this.project(project);
    const choice = { ...recipe, device: 'cpu', chosen, ...parts };
    await this.server.call({ request: 'set_recipe', project: this.id(project), choice });
    return (await this.server.call({ request: 'start_run', project: this.id(project) })).run;
  }

  /** Waits until a run is in one of some states and past a step. */
  async until(project: Prepared, run: string, states: readonly RunState[], past = -1): Promise<RunSummary> {
    for (;;) {
      const found = (await this.project(project)).runs.find(({ id }) => id === run);
      if (!found) throw new Error(`The run ${run} is gone.`);
      if (states.includes(found.state) && found.step > past) return found;
      if (found.state === 'failed') throw new Error(`A run failed: ${found.fault?.message}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Rows whose label follows from a word, which a tiny model can learn. */
export function triage(language: Language, rows: number): string {
  const topics = {
    en: [['my parcel', 'Delivery'], ['my refund', 'Payment'], ['the lamp', 'Product']],
    zh: [['我的包裹', '物流'], ['我的退款', '付款'], ['这盏台灯', '商品']],
  }[language];
  const line = (row: number) => {
    const [word, label] = topics[row % topics.length]!;
    return language === 'en'
      ? `"Message ${row}: I am writing about ${word}, could you please help me?",${label}`
      : `"第${row}条：您好，我想问一下${word}的事，请帮我看看。",${label}`;
  };
  return ['text,label', ...Array.from({ length: rows }, (_, row) => line(row))].join('\n');
}

/** Questions that nobody has answered. */
function questions(language: Language): string {
  const line = (row: number) => (language === 'en' ? `Where is parcel ${row}?` : `第${row}个包裹到哪儿了？`);
  return ['question', ...Array.from({ length: 160 }, (_, row) => line(row))].join('\n');
}

/** Rows with most of what can be wrong with rows. */
function flawed(language: Language): string {
  const [good, bad] = language === 'en' ? ['good', 'bad'] : ['好评', '差评'];
  const text = (row: number) =>
    language === 'en' ? `Cup ${row} arrived in one piece and looks just as in the picture` : `第${row}个杯子完好无损，和图片一样`;
  const rows = Array.from({ length: 40 }, (_, row) => `${text(row)},${row % 5 === 0 ? bad : good}`);
  const odd = [`${text(1)},${good}`, `${text(2)},${good}`, `${text(3)},${bad}`, `,${good}`, `${text(99)},`, `${text(50)},?`];
  const long = `${text(7)} `.repeat(120);
  return ['text,label', ...rows, ...odd, `${long},${good}`].join('\n');
}

async function prepare(world: World): Promise<void> {
  const { server, language } = world;
  world.model = (await server.call({ request: 'add_model', path: await placeModel(server) })).model.id;

  await world.create('broken');
  const { folder: broken } = await world.project('broken');
  await writeFile(join(broken, 'project.db'), 'This is not a database.');

  await world.create('empty');
  const ready = await world.createOnModel('ready');
  await server.call({ request: 'add_sample', project: ready, language });

  const reviews = await world.write('reviews.csv', flawed(language));
  const project = await world.createOnModel('flawed');
  await server.call({ request: 'add_files', project, paths: [reviews] });

  const pairs = await world.createOnModel('pairs');
  await server.call({ request: 'add_files', project: pairs, paths: [inRepository('tests', 'fixtures', 'data', 'preference.jsonl')] });

  const messages = await world.write('messages.csv', triage(language, 150));
  for (const name of ['stopped', 'trained', 'judged'] as const) {
    const project = await world.createOnModel(name);
    await server.call({ request: 'add_files', project, paths: [messages] });
  }
  const short = await world.start('judged', { num_train_epochs: 1 });
  await world.until('judged', short.id, ['judged']);
  const long = await world.start('judged', { num_train_epochs: 12, learning_rate: 0.01 });
  await world.until('judged', long.id, ['judged']);

  const stopped = await world.start('stopped', { num_train_epochs: 400, early_stopping_patience: 0 });
  await world.until('stopped', stopped.id, ['training'], 20);
  await server.call({ request: 'stop_run', project: world.id('stopped'), run: stopped.id });
  await world.until('stopped', stopped.id, ['stopped']);

  const replies = await world.createOnModel('replies');
  await server.call({ request: 'add_sample', project: replies, language });
  const [file] = (await world.project('replies')).files;
  if (!file) throw new Error('The sample is not there.');
  const mapping: Mapping = { shape: 'prompt_completion', fields: [['prompt', '{{text}}'], ['completion', '{{reply}}']] };
  await server.call({ request: 'set_mapping', project: replies, file: file.name, mapping });
  const run = await world.start('replies', { num_train_epochs: 3, learning_rate: 0.01 });
  await world.until('replies', run.id, ['judged']);

  const asked = await world.write('questions.csv', questions(language));
  const alone = await world.createOnModel('questions');
  await server.call({ request: 'add_files', project: alone, paths: [asked] });
  const rule = { card: 'contains', weight: 1, settings: { texts: ['e'] } };
  const settings = { learning_rate: 0.01, max_steps: 24, max_completion_length: 10, num_generations: 4 };
  const rewarded = await world.start('questions', settings, { recipe: 'grpo', reward: { cards: [rule], model: null } });
  await world.until('questions', rewarded.id, ['judged']);
}

export interface Options {
  /** Language of the window and of the projects. */
  language: Language;
}

/** The tiny model, where a person might keep one. */
export async function placeModel(server: Server): Promise<string> {
  const folder = join(server.home, 'tiny-llama');
  await cp(inRepository('tests', 'fixtures', 'goldens', 'models', 'llama_gqa_tied'), folder, { recursive: true });
  return folder;
}

/** A message of the window in a language. */
export function say(language: Language, key: Key, params: Record<string, string | number> = {}): string {
  return messages[language][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}

export const test = base.extend<object, Options & { server: Server; world: World }>({
  language: ['en', { option: true, scope: 'worker' }],
  server: [
    async ({}, use) => {
      const server = await Server.start();
      await use(server).finally(() => server.stop());
    },
    { scope: 'worker' },
  ],
  world: [
    async ({ language, server }, use) => {
      const world = new World(server, language);
      await prepare(world);
      await use(world);
    },
    { scope: 'worker', timeout: 600_000 },
  ],
});
