import { openStandIn } from './open.ts';
import { describeWholePath } from './specs/whole-path.ts';

describeWholePath('in the application, on a stand-in for Electron', openStandIn);
