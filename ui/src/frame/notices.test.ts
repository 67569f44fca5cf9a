import { beforeEach, describe, expect, it, vi } from 'vitest';

import { speak } from '../messages/messages.svelte';
import { fakePlatform } from '../platform/fake';
import { aProject, aRun, aSummary } from '../platform/fake-data';
import { AppState } from '../state/app.svelte';
import { tellOfRuns } from './notices';

function listening(focused: boolean) {
  vi.spyOn(document, 'hasFocus').mockReturnValue(focused);
  const notify = vi.fn(() => Promise.resolve());
  const platform = fakePlatform({ projects: () => ({ projects: [aSummary(), aSummary({ id: 'p2', name: 'Mail' })] }) }, { notify });
  const app = new AppState(platform);
  tellOfRuns(app);
  return { app, platform, notify };
}

beforeEach(() => speak('en'));

describe('a run that ends while the person looks elsewhere', () => {
  it('is told of by its project and its verdict', async () => {
    const { app, platform, notify } = listening(false);
    await app.loadProjects();
    platform.tell({ event: 'run', project: 'p2', run: aRun({ state: 'judging' }) });
    expect(notify).not.toHaveBeenCalled();
    platform.tell({ event: 'run', project: 'p2', run: aRun({ state: 'judged', outcome: 'cannot_tell' }) });
    expect(notify.mock.calls).toEqual([['Mail', 'Trained and judged: no clear change.']]);
  });

  it('is told of with what went wrong', () => {
    const { app, platform, notify } = listening(false);
    app.opening.value = aProject();
    const fault = { code: 'worker.crashed', message: 'crashed', params: {} };
    platform.tell({ event: 'run', project: 'p1', run: aRun({ state: 'failed', fault }) });
    expect(notify.mock.calls).toEqual([['Post', expect.stringMatching(/^The run failed\. The process that computes ended unexpectedly\./)]]);
  });

  it('is told of in a system that has no notices, without harm', async () => {
    const { platform, notify } = listening(false);
    notify.mockRejectedValue(new Error('no such service'));
    platform.tell({ event: 'run', project: 'unknown', run: aRun({ state: 'judged', outcome: 'better' }) });
    await Promise.resolve();
    expect(notify.mock.calls).toEqual([['Sanbao', 'Trained and judged: it got better.']]);
  });
});

it('nothing is told to a person who is looking, nor of a run that they stopped', () => {
  const seen = listening(true);
  seen.platform.tell({ event: 'run', project: 'p1', run: aRun({ state: 'judged', outcome: 'better' }) });
  const away = listening(false);
  away.platform.tell({ event: 'run', project: 'p1', run: aRun({ state: 'stopped' }) });
  expect(seen.notify).not.toHaveBeenCalled();
  expect(away.notify).not.toHaveBeenCalled();
});
