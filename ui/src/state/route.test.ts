import { expect, it } from 'vitest';

import { readRoute, writeRoute } from './route';

it('a page is found again by its address', () => {
  for (const route of [
    { page: 'home' },
    { page: 'project', project: 'my post/1', step: 'data' },
    { page: 'project', project: '项目', step: 'use' },
  ] as const) {
    expect(readRoute(writeRoute(route))).toEqual(route);
  }
});

it('addresses that the window did not write lead home', () => {
  for (const hash of ['', '#', '#token=x', '#/project/x', '#/project/x/dance', '#/project//data']) {
    expect(readRoute(hash)).toEqual({ page: 'home' });
  }
});
