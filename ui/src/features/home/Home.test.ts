import { render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';

import { speak } from '../../messages/messages.svelte';
import type { Platform } from '../../platform';
import Home from './Home.svelte';

function answering(call: () => Promise<unknown>): Platform {
  return { kind: 'window', call: call as Platform['call'] };
}

describe('home', () => {
  beforeEach(() => speak('en'));

  it('shows the version that Rust tells', async () => {
    render(Home, { platform: answering(async () => ({ reply: 'about', version: '7.8.9' })) });
    expect(screen.getByRole('heading', { level: 1 }).textContent).toContain('Sanbao');
    expect(await screen.findByText('Version 7.8.9')).toBeTruthy();
  });

  it('says so when Rust does not answer', async () => {
    render(Home, { platform: answering(() => Promise.reject(new Error('gone'))) });
    expect(await screen.findByText(/engine does not answer/)).toBeTruthy();
  });

  it('changes its language at the press of a button', async () => {
    render(Home, { platform: answering(async () => ({ reply: 'about', version: '7.8.9' })) });
    screen.getByRole('button', { name: '中文' }).click();
    expect(await screen.findByText('版本 7.8.9')).toBeTruthy();
    expect(screen.getByRole('button', { name: '中文' }).getAttribute('aria-pressed')).toBe('true');
  });
});
