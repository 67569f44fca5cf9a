import { expect, it } from 'vitest';

import { fill, insertColumn, parse, problemOf } from './template';

const columns = ['title', 'price (€)', '标题'];

it('templates are read as Rust reads them', () => {
  expect(parse('{{ title }}: {{标题}} } {{price (€)}}{')).toEqual([
    { column: 'title' },
    { text: ': ' },
    { column: '标题' },
    { text: ' } ' },
    { column: 'price (€)' },
    { text: '{' },
  ]);
  expect(parse('')).toEqual([]);
  expect(parse('plain')).toEqual([{ text: 'plain' }]);
});

it('what is wrong with a template is told', () => {
  expect(problemOf('a {{title', columns)).toEqual({ kind: 'unclosed' });
  expect(problemOf('{{ }}', columns)).toEqual({ kind: 'nameless' });
  expect(problemOf('{{title}} {{nope}}', columns)).toEqual({ kind: 'unknown', column: 'nope' });
  expect(problemOf('{{title}} {{标题}}', columns)).toBeNull();
});

it('rows are filled in', () => {
  expect(fill('{{ title }}: {{标题}} } {{price (€)}}{', columns, ['T', '3.5', '好'])).toBe('T: 好 } 3.5{');
  expect(fill('<{{nope}}>', columns, ['T'])).toBe('<>');
  expect(fill('{{title', columns, ['T'])).toBe('');
});

it('a column goes where the caret is', () => {
  expect(insertColumn('a b', 'title', 2, 3)).toEqual({ template: 'a {{title}}', caret: 11 });
  expect(insertColumn('', 'x', 0, 0)).toEqual({ template: '{{x}}', caret: 5 });
});
