import { hold, listen, tell } from '../wire';
import { fails, says, waits, type State } from './acts';

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
  {
    name: 'close-asked',
    async open(page, world) {
      await listen(page);
      await world.open(page, 'ready', 'train');
      await says(page, world, 'train_empty');
      await tell(page, { event: 'close_asked' });
      await says(page, world, 'close_title');
    },
  },
];
