import type { State } from './acts';
import { data } from './data';
import { evaluate } from './evaluate';
import { feedback } from './feedback';
import { frame } from './frame';
import { home } from './home';
import { model } from './model';
import { recipe } from './recipe';
import { train } from './train';
import { use } from './use';

/** Everything that the window can show, step by step. */
export const states: readonly State[] = [...home, ...frame, ...model, ...data, ...recipe, ...train, ...evaluate, ...feedback, ...use];
