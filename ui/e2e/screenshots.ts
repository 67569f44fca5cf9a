import { join } from 'node:path';

import { look, sizes, themes } from './look';
import { inRepository } from './server';
import { states } from './states/index';
import { test } from './world';

for (const state of states) {
  test(state.name, async ({ page, world }) => {
    try {
      await state.open(page, world);
      for (const size of sizes) {
        for (const theme of themes) {
          await look(page, theme, size);
          const name = `${state.name}.${world.language}.${theme}.${size.width}x${size.height}.png`;
          await page.screenshot({ path: join(inRepository('target', 'screenshots'), name), animations: 'disabled', caret: 'hide' });
        }
      }
    } finally {
      await state.close?.(world);
    }
  });
}
