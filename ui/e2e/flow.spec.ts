import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, type Locator, type Page } from '@playwright/test';

import type { Server } from './server';
import { placeModel, say, test, triage, type Key } from './world';

const text = (key: Key, params?: Record<string, string | number>) => say('en', key, params);
const button = (page: Page, key: Key, params?: Record<string, string | number>) =>
  page.getByRole('button', { name: text(key, params), exact: true });

/** Starts of sentences whose figures differ from run to run. */
const better = /^Better: on \d+ rows never seen in training/;

/** Goes to an element with the Tab key alone, as somebody does who uses no mouse. */
async function tabTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await expect(target).toBeVisible();
  await expect(target).toBeEnabled();
  for (let presses = 0; presses < 80; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`The ${key} key does not lead to ${target}.`);
}

async function enter(page: Page, target: Locator, key?: 'Tab' | 'Shift+Tab'): Promise<void> {
  await tabTo(page, target, key);
  await page.keyboard.press('Enter');
}

async function type(page: Page, target: Locator, words: string): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(words);
}

/** Asks the server that serves a run, as another program does. */
async function askServed(page: Page, question: string): Promise<string> {
  const [address, key, model] = await page.locator('dd code').allInnerTexts();
  const response = await fetch(`${address}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: question }], temperature: 0 }),
  });
  const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
  return choices[0]?.message.content ?? '';
}

async function begin(page: Page, server: Server): Promise<string> {
  await page.goto(server.shown);
  await expect(page).toHaveURL(`${server.address}/`);
  return placeModel(server);
}

test('from an empty project to a served model, with the mouse', async ({ page, server }) => {
  const folder = await begin(page, server);
  const examples = join(server.home, 'messages.csv');
  await writeFile(examples, triage('en', 150));

  await test.step('project', async () => {
    await page.getByRole('button', { name: /^(Empty project|New project)$/ }).click();
    await page.getByLabel(text('home_name')).fill('Who should answer?');
    await button(page, 'home_create').click();
    await expect(page.getByLabel(text('frame_project_name'))).toHaveValue('Who should answer?');
  });

  await test.step('model', async () => {
    await button(page, 'model_add').click();
    await page.getByLabel(text('model_path')).fill(folder);
    await page.getByRole('dialog').getByRole('button', { name: text('model_add_do'), exact: true }).click();
    await button(page, 'model_choose_name', { name: 'tiny-llama' }).click();
    await expect(page.getByText(text('model_chosen'))).toBeVisible();
    await button(page, 'go_on', { step: text('step_data') }).click();
  });

  await test.step('data', async () => {
    const asked = page.waitForEvent('filechooser');
    await button(page, 'home_choose_files').click();
    await (await asked).setFiles(examples);
    await expect(page.getByText(text('data_labels'))).toBeVisible({ timeout: 60_000 });
    await page.getByRole('tab', { name: text('data_tab_rows') }).click();
    await page.getByLabel(text('data_select_row', { n: 2 }), { exact: true }).check();
    await button(page, 'data_leave_out').click();
    await expect(page.getByText(text('data_filter_excluded', { n: 1 }))).toBeVisible();
    await button(page, 'go_on', { step: text('step_recipe') }).click();
  });

  await test.step('recipe', async () => {
    await page.locator('summary').filter({ hasText: text('recipe_settings') }).click();
    for (const [name, value] of [['num_train_epochs', '12'], ['learning_rate', '0.01']] as const) {
      const field = page.getByLabel(text(`recipe_setting_${name}`), { exact: true });
      await field.fill(value);
      await field.press('Enter');
    }
    await button(page, 'recipe_start').click({ timeout: 60_000 });
  });

  await test.step('train', async () => {
    await expect(page.getByRole('heading', { name: text('train_title') })).toBeVisible();
    await button(page, 'train_see_verdict').click({ timeout: 90_000 });
  });

  await test.step('verdict', async () => {
    await expect(page.getByText(better)).toBeVisible();
    await button(page, 'go_on', { step: text('step_use') }).click();
  });

  await test.step('chat', async () => {
    await page.getByLabel(text('use_question'), { exact: true }).fill('Message 7: I am writing about my refund, could you please help me?');
    await button(page, 'use_send').click();
    const trained = page.locator('[aria-busy]').filter({ hasText: text('use_trained') });
    await expect(trained.getByText('Payment', { exact: true })).toBeVisible({ timeout: 60_000 });
  });

  await test.step('export', async () => {
    await page.getByRole('radio', { name: text('use_export') }).click();
    await page.getByRole('button', { name: /^Export: Adapter/ }).click();
    await expect(page.getByText(text('use_parity'))).toBeVisible({ timeout: 60_000 });
  });

  await test.step('serve', async () => {
    await page.getByRole('radio', { name: text('use_serve') }).click();
    await button(page, 'use_serve_start').click();
    await expect(page.getByText(text('use_address'), { exact: true })).toBeVisible();
    expect(await askServed(page, 'Message 8: I am writing about the lamp, could you please help me?')).toBe('Product');
    await button(page, 'use_serve_stop').click();
    await expect(button(page, 'use_serve_start')).toBeVisible();
  });
});

test('from an empty project to a served model, with the keyboard', async ({ page, server }) => {
  const folder = await begin(page, server);

  await enter(page, page.getByRole('button', { name: /^(Empty project|New project)$/ }));
  await type(page, page.getByLabel(text('home_name')), 'By keyboard');
  await page.keyboard.press('Enter');

  await enter(page, button(page, 'model_add'));
  await type(page, page.getByLabel(text('model_path')), folder);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toBeHidden();
  await enter(page, button(page, 'model_choose_name', { name: 'tiny-llama' }));
  await expect(page.getByText(text('model_chosen'))).toBeVisible();
  await enter(page, page.getByRole('link', { name: text('step_data') }), 'Shift+Tab');

  await enter(page, button(page, 'data_paste'));
  await type(page, page.getByLabel(text('data_paste_label')), triage('en', 150));
  await expect(page.getByRole('dialog')).toBeVisible();
  await enter(page, button(page, 'data_paste_add'));
  await expect(page.getByText(text('data_labels'))).toBeVisible({ timeout: 60_000 });
  await tabTo(page, page.getByRole('tab', { name: text('data_tab_check') }));
  await page.keyboard.press('ArrowRight');
  // Tab comes to one row of the table and then leaves it; the arrow keys lead to the others.
  await tabTo(page, page.getByLabel(text('data_select_row', { n: 1 }), { exact: true }));
  for (let row = 2; row <= 40; row += 1) await page.keyboard.press('ArrowDown');
  await expect(page.getByLabel(text('data_select_row', { n: 40 }), { exact: true })).toBeFocused();
  await page.keyboard.press('Space');
  await expect(page.getByText(text('data_selected_n', { n: 1 }))).toBeVisible();
  await enter(page, page.getByRole('link', { name: text('step_recipe') }), 'Shift+Tab');

  await tabTo(page, page.getByRole('radio', { name: text('recipe_dial_balanced') }));
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByText(text('recipe_dial_quick_text'))).toBeVisible();
  await enter(page, page.locator('summary').filter({ hasText: text('recipe_settings') }));
  await type(page, page.getByLabel(text('recipe_setting_num_train_epochs'), { exact: true }), '30');
  await type(page, page.getByLabel(text('recipe_setting_learning_rate'), { exact: true }), '0.01');
  await page.keyboard.press('Enter');
  await expect(button(page, 'recipe_start')).toBeEnabled({ timeout: 60_000 });
  await enter(page, button(page, 'recipe_start'));

  await expect(button(page, 'train_see_verdict')).toBeVisible({ timeout: 90_000 });
  await enter(page, button(page, 'train_see_verdict'));
  await expect(page.getByText(better)).toBeVisible();
  await enter(page, button(page, 'go_on', { step: text('step_use') }));

  await type(page, page.getByLabel(text('use_question'), { exact: true }), 'Message 9: I am writing about my parcel, could you please help me?');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Delivery', { exact: true })).toBeVisible({ timeout: 60_000 });

  await tabTo(page, page.getByRole('radio', { name: text('use_chat') }));
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await enter(page, page.getByRole('button', { name: /^Export: Adapter/ }));
  await expect(page.getByText(text('use_parity'))).toBeVisible({ timeout: 60_000 });
  await tabTo(page, page.getByRole('radio', { name: text('use_export') }));
  await page.keyboard.press('ArrowRight');
  await enter(page, button(page, 'use_serve_start'));
  await expect(page.getByText(text('use_address'), { exact: true })).toBeVisible();
  await enter(page, button(page, 'use_serve_stop'));
  await expect(button(page, 'use_serve_start')).toBeVisible();
});

test('language and theme are changed at once and stay', async ({ page, server }) => {
  await page.goto(server.shown);
  await page.getByRole('radio', { name: say('en', 'frame_theme_dark') }).click();
  await expect(page.locator('body')).toHaveCSS('background-color', 'rgb(18, 22, 42)');
  await page.getByRole('radio', { name: say('zh', 'language_name') }).click();
  await expect(page.getByText(say('zh', 'home_drop'))).toBeVisible();
  await page.reload();
  await expect(page.getByText(say('zh', 'home_drop'))).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh');
  await expect(page.locator('body')).toHaveCSS('background-color', 'rgb(18, 22, 42)');
});

test('a file that is dropped anywhere becomes a project', async ({ page, server }) => {
  await page.goto(server.shown);
  await expect(button(page, 'home_choose_files')).toBeVisible();
  const files = await page.evaluateHandle((rows) => {
    const data = new DataTransfer();
    data.items.add(new File([rows], 'second_hand_books.csv', { type: 'text/csv' }));
    return data;
  }, triage('en', 30));
  await page.dispatchEvent('body', 'dragenter', { dataTransfer: files });
  await expect(page.getByText(text('frame_drop_project'))).toBeVisible();
  await page.dispatchEvent('body', 'drop', { dataTransfer: files });
  await expect(page.getByLabel(text('frame_project_name'))).toHaveValue('second hand books');
  await expect(page.getByText('second_hand_books.csv')).toBeVisible();
});
