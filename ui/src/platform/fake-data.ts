import type { Ballot } from '../contract/Ballot';
import type { CardInfo } from '../contract/CardInfo';
import type { Examined } from '../contract/Examined';
import type { FeedbackStats } from '../contract/FeedbackStats';
import type { ModelEntry } from '../contract/ModelEntry';
import type { Project } from '../contract/Project';
import type { ProjectFile } from '../contract/ProjectFile';
import type { ProjectSummary } from '../contract/ProjectSummary';
import type { Row } from '../contract/Row';
import type { RunSummary } from '../contract/RunSummary';

/** Things for tests to show, plain unless told otherwise. */

export function aSummary(parts: Partial<ProjectSummary> = {}): ProjectSummary {
  return { id: 'p1', name: 'Post', base: null, files: [], rows: 0, state: 'empty', outcome: null, changed: 0, fault: null, ...parts };
}

export function aProject(parts: Partial<Project> = {}): Project {
  return {
    summary: aSummary(),
    folder: '/projects/p1',
    base: null,
    files: [],
    recipe: { recipe: null, dial: 'balanced', device: null, chosen: {}, reward: null },
    runs: [],
    ...parts,
  };
}

export function aRun(parts: Partial<RunSummary> = {}): RunSummary {
  return {
    id: 'r1',
    recipe: 'lora',
    dial: 'balanced',
    device: 'cpu',
    base: 'Starter',
    state: 'training',
    step: 1,
    steps: 10,
    best_loss: null,
    epochs: [],
    outcome: null,
    created: 0,
    fault: null,
    ...parts,
  };
}

export function aFile(parts: Partial<ProjectFile> = {}): ProjectFile {
  return {
    name: 'mail.csv',
    bytes: 2000,
    rows: 3,
    excluded: 0,
    edited: 0,
    recognition: {
      format: 'csv',
      encoding: 'UTF-8',
      delimiter: ',',
      columns: ['subject', 'text', 'label'],
      mapping: { shape: 'text_label', fields: [['text', '{{text}}'], ['label', '{{label}}']] },
      reason: {
        en: 'UTF-8, comma-separated: `text` is the text and `label` is the label.',
        zh: 'UTF-8 编码，逗号分隔：“text”是文本，“label”是标签。',
      },
    },
    mapping: null,
    ...parts,
  };
}

export function aRow(row: number, values: string[] = ['s', 't', 'l'], parts: Partial<Row> = {}): Row {
  return { row, values, excluded: false, edited: false, ...parts };
}

export function aModel(parts: Partial<ModelEntry> = {}): ModelEntry {
  return {
    id: 'starter',
    name: 'Starter',
    source: 'starter',
    installed: true,
    parameters: 135e6,
    bytes: 98e6,
    languages: ['en'],
    instruct: true,
    gated: false,
    licence: { id: 'Apache-2.0', commercial_use: true, redistribution: true, summary: 'Free.' },
    fits: { run: true, lora: true, full: true },
    card: null,
    summary: { en: 'Small and quick.', zh: '小而快。' },
    download: null,
    ...parts,
  };
}

/** A base model that is there. */
export function aBase(model = 'starter'): NonNullable<Project['base']> {
  const { licence } = aModel();
  return {
    model,
    card: {
      name: 'Starter',
      architecture: 'llama',
      parameters: 135e6,
      context: 2048,
      vocabulary: 49152,
      layers: 30,
      hidden: 576,
      languages: ['en'],
      stored_as: 'Q4_1',
      bytes_on_disk: 98e6,
      has_chat_template: true,
      licence,
      memory: { tokens: 1024, run: 1e8, lora: 2e8, full: 9e8 },
    },
  };
}

/** A ballot that waits, its authors hidden. */
export function aBallot(id: number, texts: string[] = ['Yes.', 'No.'], parts: Partial<Ballot> = {}): Ballot {
  return {
    id,
    prompt: [{ role: 'user', content: `Question ${id}?` }],
    answers: texts.map((text) => ({ text, author: null })),
    vote: null,
    ...parts,
  };
}

/** A ballot with its vote: the trained model wrote the first answer, the base model the others. */
export function aVotedBallot(ballot: Ballot, choice: NonNullable<Ballot['vote']>['choice'], seconds = 4): Ballot {
  const author = (at: number) => ({ name: at === 0 ? 'Tuned' : 'Starter', run: at === 0 ? 'r1' : null, epoch: null, sampling: null });
  return {
    ...ballot,
    answers: ballot.answers.map(({ text }, at) => ({ text, author: author(at) })),
    vote: { choice, rater: '', at: 0, seconds },
  };
}

export function aStats(parts: Partial<FeedbackStats> = {}): FeedbackStats {
  return {
    ballots: 0,
    votes: 0,
    skipped: 0,
    pairs: 0,
    unpaired: 0,
    edits: 0,
    median_seconds: null,
    duels: [],
    longer_preferred: null,
    agreement: null,
    judged_by_several: 0,
    ...parts,
  };
}

/** A card with a list of texts and a number. */
export function aCard(parts: Partial<CardInfo> = {}): CardInfo {
  return {
    name: 'contains',
    title: { en: 'Contains', zh: '包含文字' },
    help: { en: 'Rewards answers in which certain texts appear.', zh: '回答中出现指定文字时给予奖励。' },
    parameters: [
      { name: 'texts', kind: { kind: 'lines' }, help: { en: 'The texts to look for, one a line.', zh: '要查找的文字，每行一条。' } },
      { name: 'min', kind: { kind: 'integer', low: 0, high: 9 }, help: { en: 'No fewer.', zh: '不少于。' } },
    ],
    defaults: { texts: ['because'], min: 1 },
    needs_reference: false,
    needs_judge: false,
    ...parts,
  };
}

/** What was found of a reward model that agrees with people and leans a little towards long answers. */
export function anExamined(parts: Partial<Examined> = {}): Examined {
  return {
    step: 40,
    advice: { en: 'It has learnt more than length.', zh: '它学到的不只是长短。' },
    agreement: { value: 0.82, low: 0.71, high: 0.9, of: 60 },
    longer_wins: { value: 0.55, low: 0.42, high: 0.67, of: 56 },
    untuned: { value: 0.6, low: 0.47, high: 0.71, of: 60 },
    length_correlation: 0.31,
    calibration: [
      { confidence: 0.57, right: 0.6, pairs: 15 },
      { confidence: 0.95, right: 0.9, pairs: 45 },
    ],
    learning_curve: [
      { pairs: 120, accuracy: 0.6 },
      { pairs: 240, accuracy: 0.7 },
      { pairs: 480, accuracy: 0.78 },
    ],
    more_votes: {
      trend: 'rising',
      doubling: { value: 0.08, low: 0.02, high: 0.14 },
      advice: { en: 'More votes help.', zh: '更多投票有用。' },
    },
    disagreements: [{ prompt: 'Where is my parcel?', chosen: 'On its way.', rejected: 'Somewhere, surely.', chosen_score: -0.4, rejected_score: 1.25 }],
    ...parts,
  };
}
