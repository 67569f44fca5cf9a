import { defineConfig } from '@playwright/test';

import type { Options } from './e2e/world';

/** Debian's; Playwright's own browsers are not fetched. */
const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';

export default defineConfig<object, Options>({
  testDir: 'e2e',
  outputDir: 'node_modules/.playwright',
  // Every worker has a server of its own that trains models: more of them would be in each other's way.
  workers: 1,
  // Preparing a worker's projects takes longer than any test: several models are trained.
  timeout: 120_000,
  expect: { timeout: 15_000 },
  forbidOnly: true,
  // A machine of the CI has others' work beside ours; what passes only the second time is listed as flaky.
  retries: process.env.CI ? 1 : 0,
  reporter: [['list']],
  use: {
    actionTimeout: 15_000,
    launchOptions: { executablePath: chromium },
    contextOptions: { reducedMotion: 'reduce' },
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'flow', testMatch: 'flow.spec.ts', use: { language: 'en', locale: 'en-GB' } },
    { name: 'en', testMatch: 'states.spec.ts', use: { language: 'en', locale: 'en-GB' } },
    { name: 'zh', testMatch: 'states.spec.ts', use: { language: 'zh', locale: 'zh-CN' } },
    { name: 'screenshots-en', testMatch: 'screenshots.ts', use: { language: 'en', locale: 'en-GB' } },
    { name: 'screenshots-zh', testMatch: 'screenshots.ts', use: { language: 'zh', locale: 'zh-CN' } },
  ],
});
