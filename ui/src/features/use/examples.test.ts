import { expect, it } from 'vitest';

import { curlExample, pythonExample } from './examples';

const serving = {
  project: 'p',
  run: 'r',
  address: 'http://127.0.0.1:8710/v1',
  key: 'sk-1',
  model: 'reviews',
};

it('examples carry address, key and model, and survive a quote', () => {
  const curl = curlExample(serving, "What's this?");
  expect(curl).toContain('http://127.0.0.1:8710/v1/chat/completions');
  expect(curl).toContain('Bearer sk-1');
  expect(curl).toContain(String.raw`What'\''s this?`);
  const python = pythonExample(serving, 'Say "hi"');
  expect(python).toContain('base_url="http://127.0.0.1:8710/v1",');
  expect(python).toContain('api_key="sk-1",');
  expect(python).toContain(String.raw`"content": "Say \"hi\""`);
});
