import { expect, it, vi } from 'vitest';

import type { RunSummary } from '../../contract/RunSummary';
import type { StepMetrics } from '../../contract/StepMetrics';
import { fakePlatform } from '../../platform/fake';
import { AppState } from '../../state/app.svelte';
import { runBook } from './book.svelte';

const step = (step: number) => ({ step, loss: 1 }) as StepMetrics;

it('a run is fetched once and then continued by what is told', async () => {
  const platform = fakePlatform({ run_metrics: () => ({ metrics: { steps: [step(1), step(2)], events: [] } }) });
  const app = new AppState(platform);
  const book = runBook(app);
  const page = book.page('p', 'r');
  const tell = (happened: object) =>
    platform.tell({ event: 'training', project: 'p', run: 'r', happened: happened as never });

  page.load();
  page.load();
  tell({ event: 'step', ...step(3) });
  await vi.waitFor(() => expect(page.steps.map((one) => one.step)).toEqual([1, 2, 3]));
  tell({ event: 'step', ...step(4) });
  tell({ event: 'validation', step: 4, loss: 0.4, best: true });
  expect(page.last?.validation_loss).toBe(0.4);
  expect(page.log.map((entry) => entry.happened.event)).toEqual(['validation']);
  expect(platform.asked.length).toBe(1);
  expect(runBook(app)).toBe(book);

  // Steps 5 to 8 were never told; they are fetched when the run has come to rest.
  tell({ event: 'step', ...step(9) });
  platform.tell({ event: 'run', project: 'p', run: { id: 'r', state: 'stopped' } as RunSummary });
  await vi.waitFor(() => expect(page.steps.length).toBe(2));
  expect(platform.asked.length).toBe(2);
});
