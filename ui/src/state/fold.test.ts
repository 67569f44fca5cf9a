import { describe, expect, it } from 'vitest';

import { aModel, aProject, aRun, aSummary } from '../platform/fake-data';
import { isComplete, summaryWithRun, withDownload, withRun, withSummary } from './fold';

describe('news of a run', () => {
  it('puts new runs first and changes the others in their place', () => {
    const one = withRun(aProject(), aRun({ id: 'a' }));
    const two = withRun(one, aRun({ id: 'b' }));
    expect(two.runs.map((run) => run.id)).toEqual(['b', 'a']);
    const three = withRun(two, aRun({ id: 'a', step: 9 }));
    expect(three.runs.map((run) => run.step)).toEqual([1, 9]);
  });

  it('changes how the project stands', () => {
    const training = withRun(aProject(), aRun());
    expect(training.summary.state).toBe('training');
    const judged = withRun(training, aRun({ state: 'judged', outcome: 'better' }));
    expect([judged.summary.state, judged.summary.outcome]).toEqual(['judged', 'better']);
    // While the next trains, the last verdict still stands.
    const again = withRun(judged, aRun({ id: 'r2' }));
    expect([again.summary.state, again.summary.outcome]).toEqual(['training', 'better']);
    expect(withRun(judged, aRun({ id: 'r2', state: 'failed' })).summary.state).toBe('stopped');
    expect(summaryWithRun(aSummary({ outcome: 'worse' }), aRun({ state: 'waiting' }))).toMatchObject({ state: 'training', outcome: 'worse' });
  });
});

it('a project is replaced in the list, or added in front', () => {
  const list = [aSummary(), aSummary({ id: 'p2' })];
  expect(withSummary(list, aSummary({ id: 'p2', name: 'New' })).map((one) => one.name)).toEqual(['Post', 'New']);
  expect(withSummary(list, aSummary({ id: 'p3' })).map((one) => one.id)).toEqual(['p3', 'p1', 'p2']);
});

it('a download is complete when all is there and nothing went wrong', () => {
  const download = { model: 'starter', bytes: 5, total: 9, eta_seconds: 1, active: true, fault: null };
  const [model] = withDownload([aModel()], download);
  expect(model?.download).toEqual(download);
  expect(isComplete(download)).toBe(false);
  expect(isComplete({ ...download, bytes: 9, active: false })).toBe(true);
  expect(isComplete({ ...download, active: false })).toBe(false);
  const fault = { code: 'hub.network', message: 'No.', params: {} };
  expect(isComplete({ ...download, bytes: 9, active: false, fault })).toBe(false);
});
