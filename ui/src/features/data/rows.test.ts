import { describe, expect, it, vi } from 'vitest';

import { aRow } from '../../platform/fake-data';
import { pageSize, RowStore } from './rows.svelte';

/** A file of so many rows. */
function fileOf(total: number, text = () => 'x') {
  return vi.fn(async (offset: number, limit: number) => ({
    columns: ['text'],
    rows: Array.from({ length: Math.min(limit, Math.max(0, total - offset)) }, (_, at) => aRow(offset + at + 1, [text()])),
    total,
  }));
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

describe('the rows of a file', () => {
  it('come in pages, each once', async () => {
    const fetch = fileOf(120_000);
    const rows = new RowStore(fetch);
    rows.need(0, 30);
    rows.need(5, 40);
    await settled();
    expect(fetch.mock.calls).toEqual([[0, pageSize]]);
    expect([rows.total, rows.columns, rows.at(29)?.row]).toEqual([120_000, ['text'], 30]);
    expect(rows.at(100_050)).toBeUndefined();
    rows.need(100_190, 100_210);
    await settled();
    expect(fetch.mock.calls.slice(1)).toEqual([[100_000, pageSize], [100_200, pageSize]]);
    expect(rows.at(100_205)?.row).toBe(100_206);
  });

  it('are not all kept', async () => {
    const fetch = fileOf(120_000);
    const rows = new RowStore(fetch);
    for (let page = 0; page < 60; page++) rows.need(page * pageSize, page * pageSize + 1);
    await settled();
    expect(rows.at(0)).toBeUndefined();
    expect(rows.first.map((row) => row.row).slice(0, 3)).toEqual([1, 2, 3]);
    rows.need(0, 1);
    await settled();
    expect(rows.at(0)?.row).toBe(1);
  });

  it('between two places come also where they were not in sight', async () => {
    const fetch = fileOf(1000);
    const rows = new RowStore(fetch);
    rows.need(0, 10);
    await settled();
    const between = await rows.between(198, 403);
    expect([between[0]?.row, between.at(-1)?.row, between.length]).toEqual([199, 403, 205]);
    expect(fetch.mock.calls).toEqual([[0, pageSize], [200, pageSize], [400, pageSize]]);
  });

  it('stay in sight while they are fetched again', async () => {
    let text = 'old';
    const rows = new RowStore(fileOf(10, () => text));
    rows.need(0, 10);
    await settled();
    text = 'new';
    const reloading = rows.reload();
    expect(rows.at(3)?.values).toEqual(['old']);
    await reloading;
    expect(rows.at(3)?.values).toEqual(['new']);
  });

  it('can be asked for again when they did not come', async () => {
    const fetch = fileOf(10).mockRejectedValueOnce(new Error('gone'));
    const rows = new RowStore(fetch);
    rows.need(0, 10);
    await settled();
    expect(rows.error).toBeInstanceOf(Error);
    await rows.reload();
    expect([rows.error, rows.total]).toEqual([null, 10]);
  });
});
