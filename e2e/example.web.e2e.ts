import { openServed } from './open.ts';
import { describeExample } from './specs/example.ts';

describeExample('in a browser', openServed);
