import { describe, expect, it } from 'vitest';

import type { Exported } from '../../contract/Exported';
import { fakePlatform } from '../../platform/fake';
import { AppState } from '../../state/app.svelte';
import { exportsOf } from './exports.svelte';

describe('exports', () => {
  it('send what was set and keep what came of it', async () => {
    const platform = fakePlatform({ export: () => ({ exported: { folder: '/out' } as Exported }) });
    const app = new AppState(platform);
    const desk = exportsOf(app).desk('p', 'r', 'gguf');
    desk.set('dtype', 'q8_0');
    desk.set('temperature', 0.2);
    desk.set('temperature', undefined);
    await exportsOf(app).export('p', 'r', 'gguf');
    expect(platform.asked).toEqual([
      { request: 'export', project: 'p', run: 'r', target: 'gguf', options: { dtype: 'q8_0' }, folder: null },
    ]);
    expect(exportsOf(app).desk('p', 'r', 'gguf').exported.value?.folder).toBe('/out');
    expect(exportsOf(app).current).toBeNull();
  });

  it('are made one after the other', async () => {
    const platform = fakePlatform({ export: () => ({ exported: {} as Exported }) });
    const exports = exportsOf(new AppState(platform));
    await Promise.all([exports.export('p', 'r', 'hf'), exports.export('p', 'r', 'gguf')]);
    expect(platform.asked.length).toBe(1);
  });

  it('say why they were refused', async () => {
    const refuse = () => {
      throw { code: 'export.occupied', message: 'No.', params: {} };
    };
    const exports = exportsOf(new AppState(fakePlatform({ export: refuse })));
    await exports.export('p', 'r', 'hf');
    expect(exports.desk('p', 'r', 'hf').exported.error).toMatchObject({ fault: { code: 'export.occupied' } });
    expect(exports.current).toBeNull();
  });
});
