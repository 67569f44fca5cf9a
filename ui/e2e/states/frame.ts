import { hold } from '../wire';
import { fails, waits, type State } from './acts';

export const frame: State[] = [
  {
    name: 'project-loading',
    async open(page, world) {
      await hold(page, 'project');
      await world.open(page, 'ready', 'data');
      await waits(page, world);
    },
  },
  {
    name: 'project-error',
    async open(page, world) {
      await world.open(page, 'broken', 'data');
      await fails(page);
    },
  },
];
