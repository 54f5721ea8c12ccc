import { openServed } from './open.ts';
import { describeRunLife } from './specs/run-life.ts';

describeRunLife('in a browser', openServed);
