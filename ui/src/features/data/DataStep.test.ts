import { render, screen, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { DataView } from '../../contract/DataView';
import type { Row } from '../../contract/Row';
import { speak } from '../../messages/messages.svelte';
import { fakePlatform } from '../../platform/fake';
import { aBase, aFile, aProject, aRow } from '../../platform/fake-data';
import { AppState, appContext } from '../../state/app.svelte';
import DataStep from './DataStep.svelte';

const part = { rows: 1, tokens: 10, trained_tokens: 2, longest: 9 };
const view: DataView = {
  report: {
    files: [aFile().recognition],
    task: 'classify',
    rows_read: 3,
    rows_dropped: 1,
    labels: [['spam', 2], ['ham', 1]],
    train: part,
    validation: part,
    test: part,
    findings: [
      {
        code: 'duplicate',
        severity: 'dropped',
        rows: 1,
        examples: [{ file: 'mail.csv', row: 2, line: 3 }],
        message: { en: '1 row is the same as an earlier row.', zh: '1 行与前面的行相同。' },
      },
    ],
  },
  rows: [
    {
      origin: { file: 'mail.csv', row: 1, line: 2 },
      part: 'train',
      tokens: [{ text: 'Hello\n', trained: false }, { text: 'spam', trained: true }],
      length: 2,
      whole_length: 5,
    },
  ],
  lengths: [[8, 2], [16, 1]],
};

let table: Row[];

// jsdom lays nothing out, so it has nothing to observe either.
vi.stubGlobal('ResizeObserver', class { observe() {} unobserve() {} disconnect() {} });

async function step(project = aProject({ base: aBase(), files: [aFile()] }), answers: Parameters<typeof fakePlatform>[0] = {}) {
  const platform = fakePlatform({
    project: () => ({ project }),
    check_data: () => ({ data: view }),
    rows: ({ filter, search }) => {
      const rows = table.filter((row) => (filter !== 'excluded' || row.excluded) && row.values.join().includes(search));
      return { page: { columns: ['subject', 'text', 'label'], rows, total: rows.length } };
    },
    exclude_rows: ({ rows, excluded }) => void (table = table.map((row) => (rows.includes(row.row) ? { ...row, excluded } : row))),
    edit_row: ({ row, values }) =>
      void (table = table.map((one) => (one.row === row && values ? { ...one, values, edited: true } : one))),
    ...answers,
  });
  const app = new AppState(platform);
  render(DataStep, { props: { project }, context: appContext(app) });
  return { app, platform };
}

const open = (name: RegExp) => screen.getByRole('tab', { name }).click();

beforeEach(() => {
  speak('en');
  location.hash = '#/project/p1/data';
  table = [aRow(1, ['a', 'first', 'spam']), aRow(2, ['b', 'second', 'ham']), aRow(3, ['c', 'third', 'spam'])];
});

describe('a project without data', () => {
  it('takes the sample or a pasted table', async () => {
    const { platform } = await step(aProject(), { add_sample: () => ({ project: aProject() }), add_text: () => ({ project: aProject() }) });
    expect(screen.getByRole<HTMLButtonElement>('button', { name: /Next: Recipe/ }).disabled).toBe(true);
    screen.getByRole('button', { name: 'Use the sample' }).click();
    await vi.waitFor(() => expect(platform.asked).toContainEqual({ request: 'add_sample', project: 'p1', language: 'en' }));
    const paste = screen.getByRole<HTMLButtonElement>('button', { name: 'Paste a table' });
    await vi.waitFor(() => expect(paste.disabled).toBe(false));
    paste.click();
    const text = await screen.findByRole<HTMLTextAreaElement>('textbox', { name: 'Table or text' });
    text.value = 'text\tlabel\nhi\tgreeting';
    text.dispatchEvent(new Event('input', { bubbles: true }));
    expect(await screen.findByText('2 lines, the heading among them')).toBeTruthy();
    screen.getByRole('button', { name: 'Add' }).click();
    await vi.waitFor(() => expect(platform.asked).toContainEqual({ request: 'add_text', project: 'p1', text: text.value }));
    await vi.waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  });

  it('says why a file was refused', async () => {
    const refused = { code: 'data.no_rows', message: 'No.', params: { file: 'x.csv' } };
    await step(aProject(), { add_sample: () => { throw refused; } });
    screen.getByRole('button', { name: 'Use the sample' }).click();
    expect((await screen.findByRole('alert')).textContent).toContain('x.csv has no rows');
  });
});

describe('the checks', () => {
  it('show findings, labels and parts, and lead to a row', async () => {
    await step();
    expect(await screen.findByText('1 row is the same as an earlier row.', {}, { timeout: 3000 })).toBeTruthy();
    expect(screen.getByText('3 rows read, 2 used.')).toBeTruthy();
    const labels = within(screen.getByRole('list', { name: 'Rows by label' })).getAllByRole('listitem');
    expect(labels.map((item) => item.textContent?.trim().replace(/\s+/g, ' '))).toEqual(['spam 2', 'ham 1']);
    screen.getByRole('button', { name: 'Row 2' }).click();
    expect(await screen.findByRole('table', { name: 'Rows of the file' })).toBeTruthy();
    expect(screen.getByRole('tab', { name: /Rows/ }).getAttribute('aria-selected')).toBe('true');
  });

  it('show what the model learns to write', async () => {
    await step();
    open(/What the model sees/);
    const trained = await screen.findByText('spam', {}, { timeout: 3000 });
    expect(trained.className).toContain('text-jade');
    expect(screen.getByText('3 tokens cut off')).toBeTruthy();
  });

  it('show both answers of a pair, which stand in one row', async () => {
    const [row] = view.rows;
    const answer = (text: string) => ({ ...row!, tokens: [{ text, trained: true }] });
    const pairs: DataView = { ...view, report: { ...view.report, task: 'preference' }, rows: [answer('Gladly.'), answer('No.')] };
    await step(undefined, { check_data: () => ({ data: pairs }) });
    open(/What the model sees/);
    const worse = await screen.findByText('No.', {}, { timeout: 3000 });
    expect(within(worse.closest('li')!).getByText('worse answer')).toBeTruthy();
    expect(within(screen.getByText('Gladly.').closest('li')!).getByText('better answer')).toBeTruthy();
  });

  it('need a base model', async () => {
    const { platform } = await step(aProject({ files: [aFile()] }));
    expect(screen.getByText('The checks need a base model')).toBeTruthy();
    expect(platform.asked).toEqual([]);
  });
});

describe('a file', () => {
  it('is removed with a way back', async () => {
    const { app, platform } = await step(undefined, { remove_file: () => ({ project: aProject() }) });
    screen.getByRole('button', { name: 'Remove mail.csv' }).click();
    (await screen.findByRole('button', { name: 'Undo: keep mail.csv' })).click();
    (await screen.findByRole('button', { name: 'Remove mail.csv' })).click();
    await screen.findByRole('button', { name: 'Undo: keep mail.csv' });
    expect(platform.asked.some(({ request }) => request === 'remove_file')).toBe(false);
    await app.removal.finish();
    expect(platform.asked).toContainEqual({ request: 'remove_file', project: 'p1', file: 'mail.csv' });
  });
});

describe('the rows', () => {
  it('are left out, and taken in again', async () => {
    const { app } = await step();
    open(/Rows/);
    (await screen.findByRole('checkbox', { name: 'Select row 1' })).click();
    screen.getByRole('checkbox', { name: 'Select row 3' }).click();
    expect(await screen.findByText('2 selected')).toBeTruthy();
    screen.getByRole('button', { name: 'Leave out' }).click();
    await vi.waitFor(() => expect(app.toasts.all[0]?.text).toBe('2 rows left out.'));
    expect(table.map((row) => row.excluded)).toEqual([true, false, true]);
    screen.getByRole('button', { name: 'Undo' }).click();
    await vi.waitFor(() => expect(table.every((row) => !row.excluded)).toBe(true));
    await vi.waitFor(() => expect(app.toasts.all).toEqual([]));
  });

  it('are changed', async () => {
    await step();
    open(/Rows/);
    (await screen.findByRole('button', { name: 'Change row 2' })).click();
    const text = await screen.findByRole<HTMLTextAreaElement>('textbox', { name: 'text' });
    expect(text.value).toBe('second');
    text.value = 'better';
    text.dispatchEvent(new Event('input', { bubbles: true }));
    (await screen.findByRole('button', { name: 'Save' })).click();
    await vi.waitFor(() => expect(table[1]?.values).toEqual(['b', 'better', 'ham']));
    expect(await screen.findByText('better')).toBeTruthy();
  });

  it('are searched', async () => {
    await step();
    open(/Rows/);
    const search = await screen.findByRole<HTMLInputElement>('searchbox');
    search.value = 'third';
    search.dispatchEvent(new Event('input', { bubbles: true }));
    await vi.waitFor(() => expect(screen.queryByText('first')).toBeNull());
    expect(await screen.findByText('third')).toBeTruthy();
  });
});

describe('the columns', () => {
  it('are given another meaning, with the first rows before one’s eyes', async () => {
    const { platform } = await step(undefined, { set_mapping: () => ({ project: aProject() }) });
    open(/Columns/);
    expect((await screen.findAllByText('first')).length).toBeGreaterThan(0);
    const use = screen.getByRole<HTMLButtonElement>('button', { name: 'Use this' });
    expect(use.disabled).toBe(true);
    const text = screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Text' });
    text.value = '{{subject}}: {{text}}';
    text.dispatchEvent(new Event('input', { bubbles: true }));
    expect(await screen.findByText('a: first')).toBeTruthy();
    text.value = '{{subject}}: {{';
    text.dispatchEvent(new Event('input', { bubbles: true }));
    expect(await screen.findByText('“{{” is not closed with “}}”.')).toBeTruthy();
    expect(use.disabled).toBe(true);
    text.value = '{{subject}}';
    text.dispatchEvent(new Event('input', { bubbles: true }));
    await vi.waitFor(() => expect(use.disabled).toBe(false));
    use.click();
    const mapping = { shape: 'text_label', fields: [['text', '{{subject}}'], ['label', '{{label}}']] };
    await vi.waitFor(() => expect(platform.asked).toContainEqual({ request: 'set_mapping', project: 'p1', file: 'mail.csv', mapping }));
  });
});
