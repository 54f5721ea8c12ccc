import { openStandIn } from './open.ts';
import { describeGroupsAndBundles } from './specs/groups-and-bundles.ts';

describeGroupsAndBundles('in the application, on a stand-in for Electron', openStandIn);
