import { openServed } from './open.ts';
import { describeGroupsAndBundles } from './specs/groups-and-bundles.ts';

describeGroupsAndBundles('in a browser', openServed);
