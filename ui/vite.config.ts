/// <reference types="vitest/config" />
import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [svelte(), tailwindcss(), svelteTesting()],
  // The shell names this address in tauri.conf.json; another port would show an empty window.
  server: { port: 5173, strictPort: true },
  // The files come from the program itself, not over a network: one piece is quickest.
  build: { target: ['es2022', 'safari16'], sourcemap: false, chunkSizeWarningLimit: 1000 },
  test: { environment: 'jsdom', include: ['src/**/*.test.ts'] },
});
