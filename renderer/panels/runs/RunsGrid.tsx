import {
  DataGrid,
  type GridColDef,
  type GridPaginationModel,
  type GridRowSelectionModel,
  type GridSortModel,
} from '@mui/x-data-grid';
import { memo, useMemo } from 'react';
import type { RunRow } from '../../../core/contract/history.ts';
import { nonce } from '../../app/nonce.ts';
import { goTo } from '../../app/use-route.ts';
import { RowCheckbox } from './RowCheckbox.tsx';
import { pageSize } from './filter.ts';

interface RunsGridProps {
  readonly rows: readonly RunRow[];
  readonly columns: readonly GridColDef<RunRow>[];
  /** Of all pages. */
  readonly total: number;
  readonly hidden: Readonly<Record<string, boolean>>;
  readonly page: number;
  readonly sort: GridSortModel;
  readonly selection: GridRowSelectionModel;
  readonly onPage: (page: number) => void;
  readonly onSort: (sort: GridSortModel) => void;
  readonly onSelect: (selection: GridRowSelectionModel) => void;
}

// The grid draws every cell anew for a prop that is another object, so each of these is made once.
const idOf = (row: RunRow): string => row.runId;
const open = ({ row }: { readonly row: RunRow }): void => goTo({ page: 'run', runId: row.runId });
const openByKey = (at: { readonly row: RunRow }, { key }: { readonly key: string }): void => {
  if (key === 'Enter') open(at);
};
const pageSizes = [pageSize];
const slots = { rowCheckbox: RowCheckbox };
const localeText = { noRowsLabel: 'No run fits the filter.' };
/** Rows and columns kept ready beyond the edge; each costs as much to draw as one that is seen. */
const buffer = 72;

/** The table of runs itself. The page around it is drawn at every letter of a search, this when there are other rows. */
export const RunsGrid = memo(function RunsGrid(props: RunsGridProps) {
  const { rows, columns, total, hidden, page, sort, selection, onPage, onSort, onSelect } = props;
  const paginationModel = useMemo(() => ({ page, pageSize }), [page]);
  const onPaginationModelChange = useMemo(() => (next: GridPaginationModel) => onPage(next.page), [onPage]);
  const visibility = useMemo(
    () => Object.fromEntries(Object.entries(hidden).map(([field, isHidden]) => [field, !isHidden])),
    [hidden],
  );
  return (
    <DataGrid<RunRow>
      aria-label="Runs"
      nonce={nonce}
      rows={rows}
      columns={columns}
      getRowId={idOf}
      columnVisibilityModel={visibility}
      rowHeight={36}
      columnHeaderHeight={36}
      rowBufferPx={buffer}
      columnBufferPx={buffer}
      checkboxSelection
      disableRowSelectionOnClick
      disableColumnFilter
      keepNonExistentRowsSelected
      rowSelectionModel={selection}
      onRowSelectionModelChange={onSelect}
      disableRowSelectionExcludeModel
      sortingMode="server"
      sortModel={sort}
      onSortModelChange={onSort}
      paginationMode="server"
      rowCount={total}
      paginationModel={paginationModel}
      onPaginationModelChange={onPaginationModelChange}
      pageSizeOptions={pageSizes}
      onRowClick={open}
      onCellKeyDown={openByKey}
      slots={slots}
      localeText={localeText}
    />
  );
});
