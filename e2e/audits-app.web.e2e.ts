import { openStandIn } from './open.ts';
import { describeAudits } from './specs/audits.ts';

describeAudits('in the application, on a stand-in for Electron', openStandIn);
