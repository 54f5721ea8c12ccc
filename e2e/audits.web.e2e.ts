import { openServed } from './open.ts';
import { describeAudits } from './specs/audits.ts';

describeAudits('in a browser', openServed);
