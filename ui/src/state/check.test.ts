import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import type { DataView } from '../contract/DataView';
import { fakePlatform } from '../platform/fake';
import { aBase, aFile, aProject, aSummary } from '../platform/fake-data';
import { AppState } from './app.svelte';

const view = { rows: [], lengths: [] } as unknown as DataView;
const ready = aProject({ base: aBase(), files: [aFile()] });

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function checking() {
  const platform = fakePlatform({ check_data: () => ({ data: view }) });
  return { platform, check: new AppState(platform).check };
}

it('checks once for the same data, and again when they change', async () => {
  const { platform, check } = checking();
  check.want(ready);
  check.want(ready);
  expect(check.current).toBe(false);
  await vi.runAllTimersAsync();
  expect(platform.asked).toHaveLength(1);
  expect([check.current, check.view.value]).toEqual([true, view]);
  check.want({ ...ready, summary: aSummary({ name: 'Another name' }) });
  await vi.runAllTimersAsync();
  expect(platform.asked).toHaveLength(1);
  check.want({ ...ready, files: [aFile({ excluded: 1 })] });
  expect(check.current).toBe(false);
  await vi.runAllTimersAsync();
  expect(platform.asked).toHaveLength(2);
});

it('checks again after a change that the project does not show', async () => {
  const { platform, check } = checking();
  check.want(ready);
  await vi.runAllTimersAsync();
  check.changed();
  check.want({ ...ready });
  await vi.runAllTimersAsync();
  expect(platform.asked).toHaveLength(2);
});

it('waits for base model and data, and forgets another project', async () => {
  const { platform, check } = checking();
  check.want(aProject({ files: [aFile()] }));
  await vi.runAllTimersAsync();
  expect(platform.asked).toHaveLength(0);
  check.want(ready);
  await vi.runAllTimersAsync();
  check.want(aProject({ summary: aSummary({ id: 'p2' }) }));
  expect(check.view.value).toBeNull();
});
