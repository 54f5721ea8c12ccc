import type { RunQuery } from '../../../core/contract/history.ts';
import { runStates } from '../../../core/contract/run.ts';

/** What the table of runs shows; 'any' leaves a choice open. */
export interface Filter {
  readonly text: string;
  readonly state: string;
  readonly methodId: string;
  readonly tag: string;
  readonly isTrash: boolean;
}

export const noFilter: Filter = { text: '', state: 'any', methodId: 'any', tag: 'any', isTrash: false };
export const pageSize = 100;

export function isFiltering(filter: Filter): boolean {
  return JSON.stringify(filter) !== JSON.stringify(noFilter);
}

/** The words of the host for it. */
export function queryOf(
  filter: Filter,
  groupId: string | undefined,
  sort: RunQuery['sort'] | undefined,
  page: number,
): RunQuery {
  const text = filter.text.trim();
  const state = runStates.find((each) => each === filter.state);
  return {
    ...(state === undefined ? {} : { states: [state] }),
    ...(filter.methodId === 'any' ? {} : { methodIds: [filter.methodId] }),
    ...(groupId === undefined ? {} : { groupId }),
    ...(filter.tag === 'any' ? {} : { tags: [filter.tag] }),
    ...(text === '' ? {} : { text }),
    ...(filter.isTrash ? { isTrash: true } : {}),
    ...(sort ? { sort } : {}),
    offset: page * pageSize,
    limit: pageSize,
  };
}
