import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

import { look, overflowing, sizes, themes } from './look';
import { states } from './states/index';
import { test } from './world';

/** What people who see or hear less could not use: what axe finds serious or critical. */
async function barriers(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return grave.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}\n${node.failureSummary}`));
}

for (const state of states) {
  test(state.name, async ({ page, world }) => {
    try {
      await state.open(page, world);
      for (const size of sizes) {
        await look(page, 'light', size);
        expect.soft(await overflowing(page), `wider than its room (${size.width}×${size.height})`).toEqual([]);
      }
      for (const theme of themes) {
        await look(page, theme, sizes[0]);
        expect.soft(await barriers(page), `not accessible (${theme})`).toEqual([]);
      }
    } finally {
      await state.close?.(world);
    }
  });
}
