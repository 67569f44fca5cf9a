import { describe, expect, it } from 'vitest';

import { aBase, aFile, aProject, aRun, aSummary } from '../platform/fake-data';
import { marks, nextStep } from './marks';

const standings = (project: Parameters<typeof marks>[0]) => marks(project).map((mark) => mark.state).join(' ');
const ready = aProject({ base: aBase(), files: [aFile()] });

describe('the steps', () => {
  it('wait for what they need', () => {
    expect(standings(aProject())).toBe('open open blocked blocked blocked blocked');
    expect(marks(aProject())[2]?.needs?.step).toBe('model');
    expect(marks(aProject({ base: aBase() }))[2]?.needs?.step).toBe('data');
    // Not the next one on the way, but the first.
    expect(marks(aProject())[5]?.needs?.step).toBe('model');
    expect(marks(ready)[5]?.needs?.step).toBe('train');
    expect(standings(ready)).toBe('done done open open blocked blocked');
  });

  it('follow the runs', () => {
    const withRuns = (...runs: ReturnType<typeof aRun>[]) => ({ ...ready, runs });
    expect(standings(withRuns(aRun()))).toBe('done done done busy blocked blocked');
    expect(standings(withRuns(aRun({ state: 'stopped', epochs: [1] })))).toBe('done done done open blocked open');
    expect(standings(withRuns(aRun({ state: 'judging' })))).toBe('done done done done busy blocked');
    expect(standings(withRuns(aRun({ state: 'judged' })))).toBe('done done done done done open');
  });

  it('do not shut runs away when the base model is gone', () => {
    const gone = { ...ready, base: { model: 'x', card: null }, runs: [aRun({ state: 'judged' })] };
    expect(standings(gone)).toBe('open done done done done open');
  });

  it('begin where one goes on', () => {
    expect(nextStep(aProject())).toBe('model');
    expect(nextStep(aProject({ base: aBase() }))).toBe('data');
    expect(nextStep(ready)).toBe('recipe');
    expect(nextStep({ ...ready, runs: [aRun()] })).toBe('train');
    expect(nextStep({ ...ready, summary: aSummary({ state: 'judged' }), runs: [aRun({ state: 'judged' })] })).toBe('evaluate');
    expect(nextStep({ ...ready, summary: aSummary({ state: 'stopped' }), runs: [aRun({ state: 'stopped' })] })).toBe('train');
  });
});
