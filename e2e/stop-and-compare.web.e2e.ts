import { openServed } from './open.ts';
import { describeStopAndCompare } from './specs/stop-and-compare.ts';

describeStopAndCompare('in a browser', openServed);
