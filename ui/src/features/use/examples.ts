import type { Serving } from '../../contract/Serving';

/** A request to the server from a terminal. */
export function curlExample({ address, key, model }: Serving, question: string): string {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: question }] }, null, 2);
  return [
    `curl ${address}/chat/completions \\`,
    `  -H "Authorization: Bearer ${key}" \\`,
    `  -H "Content-Type: application/json" \\`,
    // A shell ends a quoted text at the quote; this closes it, adds one and opens it again.
    `  -d '${body.replaceAll("'", String.raw`'\''`)}'`,
  ].join('\n');
}

/** The same with OpenAI's Python library. */
export function pythonExample({ address, key, model }: Serving, question: string): string {
  return [
    'from openai import OpenAI',
    '',
    'client = OpenAI(',
    `    base_url=${JSON.stringify(address)},`,
    `    api_key=${JSON.stringify(key)},`,
    ')',
    'answer = client.chat.completions.create(',
    `    model=${JSON.stringify(model)},`,
    `    messages=[{"role": "user", "content": ${JSON.stringify(question)}}],`,
    ')',
    'print(answer.choices[0].message.content)',
  ].join('\n');
}
