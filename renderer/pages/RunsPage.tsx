import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import useMediaQuery from '@mui/material/useMediaQuery';
import { DataGrid, type GridPaginationModel, type GridRowSelectionModel, type GridSortModel } from '@mui/x-data-grid';
import { useDeferredValue, useEffect, useMemo, useState } from 'react';
import type { RunQuery } from '../../core/contract/history.ts';
import { runStates, type RunState } from '../../core/contract/run.ts';
import { catalogue } from '../../core/methods/catalogue.ts';
import { nonce } from '../app/nonce.ts';
import { hrefOf } from '../app/routes.ts';
import { goTo } from '../app/use-route.ts';
import { useBridge, useRequest } from '../bridge/use-bridge.ts';
import { Icon } from '../icons/Icon.tsx';
import { BundleButtons } from '../panels/BundleButtons.tsx';
import { Empty } from '../panels/Empty.tsx';
import { ErrorNote } from '../panels/ErrorNote.tsx';
import { GroupChart } from '../panels/GroupChart.tsx';
import { Page } from '../panels/Page.tsx';
import { runTitle, stateTitles } from '../panels/run-text.ts';
import { runColumns, sortName } from '../panels/run-columns.tsx';
import { TagButton } from '../panels/TagButton.tsx';
import { variedIn } from '../panels/varied.ts';

const pageSize = 100;
const mostCompared = 12;
const nothing: GridRowSelectionModel = { type: 'include', ids: new Set() };

interface Filter {
  readonly text: string;
  readonly state: RunState | 'any';
  readonly methodId: string;
  readonly tag: string;
  readonly isTrash: boolean;
}

const noFilter: Filter = { text: '', state: 'any', methodId: 'any', tag: 'any', isTrash: false };

/** Who looks at a run and comes back finds the table as it was left. */
let remembered: { readonly filter: Filter; readonly sort: GridSortModel } = {
  filter: noFilter,
  sort: [{ field: 'createdAtMs', sort: 'desc' }],
};

/** All runs of the workspace. The host filters and sorts, so that ten thousand cost what a hundred do. */
export function RunsPage({ groupId }: { readonly groupId?: string | undefined }) {
  const bridge = useBridge();
  const [filter, setFilter] = useState<Filter>(remembered.filter);
  const [sort, setSort] = useState<GridSortModel>(remembered.sort);
  useEffect(() => {
    remembered = { filter, sort };
  }, [filter, sort]);
  const [page, setPage] = useState<GridPaginationModel>({ page: 0, pageSize });
  const [selection, setSelection] = useState<GridRowSelectionModel>(nothing);
  const query = useDeferredValue(queryOf(filter, groupId, sort, page));
  const runs = useRequest('runs.list', query, (event) => event.type === 'run' || event.type === 'runs-removed');
  const tags = useRequest('runs.tags', {}, (event) => event.type === 'run');
  // What was found last stays until the next answer is there: taking all rows away and bringing others costs frames.
  const [shown, setShown] = useState(runs.data);
  if (runs.data && runs.data !== shown) setShown(runs.data);
  const found = runs.data ?? shown;
  const rows = found?.rows;
  const columns = useMemo(() => {
    // The runs of a group are of one method, as a rule, and tell themselves apart by what was varied.
    const methods = new Set(groupId === undefined ? [] : rows?.map((row) => row.methodId));
    const [only] = methods.size === 1 ? methods : [];
    const methodId = filter.methodId === 'any' ? only : filter.methodId;
    return runColumns(methodId, groupId === undefined ? undefined : variedIn(rows ?? []), rows);
  }, [filter.methodId, groupId, rows]);
  const chosen = [...selection.ids].map(String);
  // A group is compared as a whole unless some of it is chosen.
  const comparable =
    groupId !== undefined && chosen.length === 0 ? (rows ?? []).map(({ runId }) => runId).toReversed() : chosen;
  const change = (next: Partial<Filter>): void => {
    setFilter({ ...filter, ...next });
    setPage({ page: 0, pageSize });
    setSelection(nothing);
  };
  const isChosen = chosen.length > 0;
  const act = (name: 'runs.trash' | 'runs.restore' | 'runs.purge'): void => {
    setSelection(nothing);
    void bridge.request(name, { runIds: chosen }).finally(runs.reload);
  };
  const isWide = useMediaQuery('(min-width: 1200px)');
  const isFiltered = JSON.stringify(filter) !== JSON.stringify(noFilter);
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
          {isChosen && filter.isTrash && (
            <Button variant="outlined" onClick={() => act('runs.restore')}>
              Take back
            </Button>
          )}
          {isChosen && !filter.isTrash && <TagButton runIds={chosen} onDone={runs.reload} />}
          {isChosen && (
            <Button
              variant="outlined"
              startIcon={<Icon name="trash" />}
              onClick={() => act(filter.isTrash ? 'runs.purge' : 'runs.trash')}
            >
              {filter.isTrash ? 'Delete for good' : 'Delete'}
            </Button>
          )}
          {!filter.isTrash && <BundleButtons runIds={chosen} onImported={runs.reload} />}
          <Button variant="contained" startIcon={<Icon name="add" />} href={hrefOf({ page: 'new' })}>
            New run
          </Button>
        </>
      }
    >
      <Box sx={{ display: 'flex', gap: 1, flexWrap: 'wrap', mb: 1.5 }}>
        <TextField
          placeholder="Search runs, models, notes, tags"
          value={filter.text}
          onChange={(event) => change({ text: event.target.value })}
          slotProps={{ htmlInput: { 'aria-label': 'Search runs', type: 'search', maxLength: 200 } }}
          sx={{ flex: '1 1 220px', maxWidth: 380 }}
        />
        <Choice
          label="State"
          value={filter.state}
          any="Every state"
          options={runStates.map((state) => [state, stateTitles[state]])}
          onChange={(state) => change({ state: runStates.find((each) => each === state) ?? 'any' })}
        />
        <Choice
          label="Method"
          value={filter.methodId}
          any="Every method"
          options={catalogue.map(({ id, title }) => [id, title])}
          onChange={(methodId) => change({ methodId })}
        />
        {(tags.data?.length ?? 0) > 0 && (
          <Choice
            label="Tag"
            value={filter.tag}
            any="Every tag"
            options={(tags.data ?? []).map(({ tag, count }) => [tag, `${tag} (${count})`])}
            onChange={(tag) => change({ tag })}
          />
        )}
        {groupId !== undefined && <Button href={hrefOf({ page: 'runs' })}>All runs</Button>}
        <Button onClick={() => change({ isTrash: !filter.isTrash })} sx={{ ml: 'auto' }}>
          {filter.isTrash ? 'Back to the runs' : 'Trash'}
        </Button>
      </Box>
      {runs.error && <ErrorNote error={runs.error} />}
      {total === 0 && !isFiltered ? (
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
          <Box sx={{ flex: 1, minHeight: 240, mx: -1.25 }}>
            <DataGrid
              aria-label="Runs"
              nonce={nonce}
              rows={rows ?? []}
              columns={[...columns]}
              getRowId={(row) => row.runId}
              columnVisibilityModel={{
                ...(isWide ? {} : { models: false }),
                tags: isWide && (tags.data?.length ?? 0) > 0,
                note: isWide && (rows ?? []).some(({ note }) => note !== ''),
              }}
              rowHeight={36}
              columnHeaderHeight={36}
              loading={!found && runs.isLoading}
              checkboxSelection
              disableRowSelectionOnClick
              disableColumnFilter
              keepNonExistentRowsSelected
              rowSelectionModel={selection}
              onRowSelectionModelChange={setSelection}
              disableRowSelectionExcludeModel
              sortingMode="server"
              sortModel={sort}
              onSortModelChange={setSort}
              paginationMode="server"
              rowCount={total ?? -1}
              paginationModel={page}
              onPaginationModelChange={setPage}
              pageSizeOptions={[pageSize]}
              onRowClick={({ row }) => goTo({ page: 'run', runId: row.runId })}
              onCellKeyDown={({ row }, event) => {
                if (event.key === 'Enter') goTo({ page: 'run', runId: row.runId });
              }}
              slotProps={{ loadingOverlay: { variant: 'skeleton', noRowsVariant: 'skeleton' } }}
              localeText={{ noRowsLabel: 'No run fits the filter.' }}
            />
          </Box>
        </>
      )}
    </Page>
  );
}

const countOf = (total: number): string => `${total.toLocaleString('en')} ${total === 1 ? 'run' : 'runs'}`;

function queryOf(
  filter: Filter,
  groupId: string | undefined,
  [sort]: GridSortModel,
  { page }: GridPaginationModel,
): RunQuery {
  const text = filter.text.trim();
  return {
    ...(filter.state === 'any' ? {} : { states: [filter.state] }),
    ...(filter.methodId === 'any' ? {} : { methodIds: [filter.methodId] }),
    ...(groupId === undefined ? {} : { groupId }),
    ...(filter.tag === 'any' ? {} : { tags: [filter.tag] }),
    ...(text === '' ? {} : { text }),
    ...(filter.isTrash ? { isTrash: true } : {}),
    ...(sort?.sort ? { sort: { by: sortName(sort.field), descending: sort.sort === 'desc' } } : {}),
    offset: page * pageSize,
    limit: pageSize,
  };
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly any: string;
  readonly options: readonly (readonly [string, string])[];
  readonly onChange: (value: string) => void;
}

function Choice({ label, value, any, options, onChange }: ChoiceProps) {
  return (
    <TextField
      select
      value={value}
      onChange={(event) => onChange(event.target.value)}
      slotProps={{ select: { inputProps: { 'aria-label': label } } }}
      sx={{ minWidth: 130, maxWidth: 260 }}
    >
      <MenuItem value="any">{any}</MenuItem>
      {options.map(([each, title]) => (
        <MenuItem key={each} value={each}>
          {title}
        </MenuItem>
      ))}
    </TextField>
  );
}
