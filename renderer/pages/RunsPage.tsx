import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import useMediaQuery from '@mui/material/useMediaQuery';
import type { GridRowSelectionModel, GridSortModel } from '@mui/x-data-grid';
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { RunQuery } from '../../core/contract/history.ts';
import { hrefOf } from '../app/routes.ts';
import { goTo } from '../app/use-route.ts';
import { useRequest } from '../bridge/use-bridge.ts';
import { Icon } from '../icons/Icon.tsx';
import { BundleButtons } from '../panels/BundleButtons.tsx';
import { Empty } from '../panels/Empty.tsx';
import { ErrorNote } from '../panels/ErrorNote.tsx';
import { GroupChart } from '../panels/GroupChart.tsx';
import { Page } from '../panels/Page.tsx';
import { Rows } from '../panels/PageSkeleton.tsx';
import { runTitle } from '../panels/run-text.ts';
import { runColumns, sortName } from '../panels/run-columns.tsx';
import { isFiltering, noFilter, queryOf, type Filter } from '../panels/runs/filter.ts';
import { FilterBar } from '../panels/runs/FilterBar.tsx';
import { RunsGrid } from '../panels/runs/RunsGrid.tsx';
import { SelectionActions } from '../panels/runs/SelectionActions.tsx';
import { variedIn } from '../panels/varied.ts';

const mostCompared = 12;
const nothing: GridRowSelectionModel = { type: 'include', ids: new Set() };

interface Left {
  readonly filter: Filter;
  readonly sort: GridSortModel;
}

const untouched: Left = { filter: noFilter, sort: [{ field: 'createdAtMs', sort: 'desc' }] };
/** By group. Who looks at a run and comes back finds the table as it was left, and a new group whole. */
const remembered = new Map<string | undefined, Left>();

/** All runs of the workspace. The host filters and sorts, so that ten thousand cost what a hundred do. */
export function RunsPage({ groupId }: { readonly groupId?: string | undefined }) {
  const left = remembered.get(groupId) ?? untouched;
  const [filter, setFilter] = useState<Filter>(left.filter);
  const [sort, setSort] = useState<GridSortModel>(left.sort);
  useEffect(() => {
    remembered.set(groupId, { filter, sort });
  }, [groupId, filter, sort]);
  const [page, setPage] = useState(0);
  const [selection, setSelection] = useState<GridRowSelectionModel>(nothing);
  const runs = useRequest(
    'runs.list',
    queryOf(filter, groupId, sortOf(sort), page),
    (event) => event.type === 'run' || event.type === 'runs-removed',
  );
  const tags = useRequest('runs.tags', {}, (event) => event.type === 'run');
  const tagChoices = useMemo(
    () => (tags.data ?? []).map(({ tag, count }) => [tag, `${tag} (${count})`] as const),
    [tags.data],
  );
  // What was found last stays until the next answer is there: taking all rows away and bringing others costs frames.
  const [shown, setShown] = useState(runs.data);
  if (runs.data && runs.data !== shown) setShown(runs.data);
  const found = runs.data ?? shown;
  const rows = found?.rows;
  // Only a group's columns follow from its rows. The grid starts anew when it gets other columns.
  const groupRows = groupId === undefined ? undefined : rows;
  const columns = useMemo(() => {
    // The runs of a group are of one method, as a rule, and tell themselves apart by what was varied.
    const methods = new Set(groupRows?.map((row) => row.methodId));
    const [only] = methods.size === 1 ? methods : [];
    const methodId = filter.methodId === 'any' ? only : filter.methodId;
    return runColumns(methodId, groupId === undefined ? undefined : variedIn(groupRows ?? []), groupRows);
  }, [filter.methodId, groupId, groupRows]);
  const isWide = useMediaQuery('(min-width: 75rem)');
  const hasTags = tagChoices.length > 0;
  const hasNotes = (rows ?? []).some(({ note }) => note !== '');
  const hidden = useMemo(
    () => ({ models: !isWide, changes: !isWide, tags: !isWide || !hasTags, note: !isWide || !hasNotes }),
    [isWide, hasTags, hasNotes],
  );
  const chosen = useMemo(() => [...selection.ids].map(String), [selection]);
  // A group is compared as a whole unless some of it is chosen.
  const comparable =
    groupId !== undefined && chosen.length === 0 ? (rows ?? []).map(({ runId }) => runId).toReversed() : chosen;
  const change = useCallback((next: Partial<Filter>): void => {
    setFilter((before) => ({ ...before, ...next }));
    setPage(0);
    setSelection(nothing);
  }, []);
  const total = found?.total;

  return (
    <Page
      title={filter.isTrash ? 'Trash' : groupId === undefined ? 'Runs' : 'Group of runs'}
      isFull
      width={4000}
      subtitle={
        total === undefined
          ? ' '
          : `${countOf(total)}${groupId === undefined || !rows?.[0] ? '' : ` of ${runTitle(rows[0])}`}`
      }
      actions={
        <>
          {comparable.length > 1 && (
            <Button
              variant="outlined"
              startIcon={<Icon name="compare" />}
              disabled={comparable.length > mostCompared}
              title={comparable.length > mostCompared ? `At most ${mostCompared} runs can be compared.` : ''}
              onClick={() => goTo({ page: 'compare', runIds: comparable })}
            >
              Compare {comparable.length}
            </Button>
          )}
          <SelectionActions
            runIds={chosen}
            isTrash={filter.isTrash}
            onDone={runs.reload}
            onMoved={() => setSelection(nothing)}
          />
          {!filter.isTrash && <BundleButtons runIds={chosen} onImported={runs.reload} />}
          <Button variant="contained" startIcon={<Icon name="add" />} href={hrefOf({ page: 'new' })}>
            New run
          </Button>
        </>
      }
    >
      <FilterBar filter={filter} tags={tagChoices} isGroup={groupId !== undefined} onChange={change} />
      {runs.error && <ErrorNote error={runs.error} />}
      {total === 0 && !isFiltering(filter) ? (
        <Empty
          title="No runs yet"
          action={
            <Button variant="contained" href={hrefOf({ page: 'new' })}>
              New run
            </Button>
          }
        >
          Everything that you start is kept here, with its request, figures, images and report.
        </Empty>
      ) : (
        <>
          {groupId !== undefined && rows && <GroupChart rows={rows} fileName={`group-${groupId}`} />}
          <Box sx={{ flex: 1, minHeight: 240, mx: found ? -1.25 : 0 }}>
            {/* Drawing an empty grid first would keep the rows waiting for as long as it takes. */}
            {found ? (
              <RunsGrid
                rows={found.rows}
                columns={columns}
                total={found.total}
                hidden={hidden}
                page={page}
                sort={sort}
                selection={selection}
                onPage={setPage}
                onSort={setSort}
                onSelect={setSelection}
              />
            ) : (
              runs.isLoading && <Rows count={12} />
            )}
          </Box>
        </>
      )}
    </Page>
  );
}

const countOf = (total: number): string => `${total.toLocaleString('en')} ${total === 1 ? 'run' : 'runs'}`;

/** The order in the words of the host. */
const sortOf = ([sort]: GridSortModel): RunQuery['sort'] | undefined =>
  sort?.sort ? { by: sortName(sort.field), descending: sort.sort === 'desc' } : undefined;
