import { beforeEach, expect, it } from 'vitest';

import { speak } from '../../messages/messages.svelte';
import { fakePlatform } from '../../platform/fake';
import { aRow } from '../../platform/fake-data';
import { AppState } from '../../state/app.svelte';
import { Changes } from './changes.svelte';

beforeEach(() => speak('en'));

function changing(answers: Parameters<typeof fakePlatform>[0] = {}) {
  const platform = fakePlatform({ exclude_rows: () => {}, edit_row: () => {}, ...answers });
  const app = new AppState(platform);
  return { app, platform, changes: new Changes(app, 'p1') };
}

it('rows are left out and taken in again, only those that were not so before', async () => {
  const { app, platform, changes } = changing();
  await changes.exclude('a.csv', [aRow(1), aRow(2, [], { excluded: true }), aRow(3)], true);
  expect([changes.words, app.toasts.all[0]?.text]).toEqual(['2 rows left out.', '2 rows left out.']);
  await changes.undo();
  const about = { request: 'exclude_rows', project: 'p1', file: 'a.csv', rows: [1, 3] };
  expect(platform.asked).toEqual([{ ...about, excluded: true }, { ...about, excluded: false }]);
  expect(changes.last).toBeNull();
  expect([changes.revision, app.toasts.all]).toEqual([2, []]);
  await changes.exclude('a.csv', [aRow(2, [], { excluded: true })], true);
  expect(platform.asked).toHaveLength(2);
});

it('a changed row gets back what it had, or what the file has', async () => {
  const { platform, changes } = changing();
  await changes.edit('a.csv', aRow(7, ['file']), ['mine']);
  await changes.edit('a.csv', aRow(7, ['mine'], { edited: true }), ['better']);
  await changes.undo();
  await changes.undo();
  await changes.undo();
  expect(platform.asked.map((request) => 'values' in request && request.values)).toEqual([['mine'], ['better'], ['mine'], null]);
});

it('what was refused is not among what can be taken back', async () => {
  const { changes } = changing({ edit_row: () => { throw { code: 'project.no_row', message: 'No.', params: {} }; } });
  await expect(changes.edit('a.csv', aRow(7), ['mine'])).rejects.toThrow('No.');
  expect(changes.last).toBeNull();
});
