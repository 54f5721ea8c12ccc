import { openStandIn } from './open.ts';
import { describeRunLife } from './specs/run-life.ts';

describeRunLife('in the application, on a stand-in for Electron', openStandIn);
