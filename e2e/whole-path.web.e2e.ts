import { openServed } from './open.ts';
import { describeWholePath } from './specs/whole-path.ts';

describeWholePath('in a browser', openServed);
