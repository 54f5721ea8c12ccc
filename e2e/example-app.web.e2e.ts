import { openStandIn } from './open.ts';
import { describeExample } from './specs/example.ts';

describeExample('of the application, on a stand-in for Electron', openStandIn);
