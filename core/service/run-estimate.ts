import type { Estimate } from '../contract/bridge.ts';
import type { RunRequest } from '../contract/run.ts';
import type { MethodSpec } from '../methods/define.ts';
import type { WorkspaceReader } from '../store/workspace.ts';
import { estimateFacts } from './estimate-facts.ts';
import { estimateFromHistory } from './estimate.ts';
import { foresee } from './first-estimate.ts';
import { measuredSpeeds } from './machine.ts';
import type { Inspect } from './model-inspector.ts';

export type EstimateRun = (spec: MethodSpec, request: RunRequest) => Promise<Estimate>;

/** What a run will take: by runs like it in this workspace, else by its graphs. `history` is absent before the first run. */
export function runEstimator(
  workspaceDir: string,
  history: Pick<WorkspaceReader, 'queryRuns' | 'getRun' | 'jobs'> | undefined,
  inspect: Inspect,
): EstimateRun {
  const facts = estimateFacts();
  return async (spec, request) => {
    const foreseen = await foresee(spec, request, { inspect, speed: measuredSpeeds(workspaceDir), ...facts });
    return (history && estimateFromHistory(history, spec, request, foreseen)) ?? foreseen.estimate;
  };
}
