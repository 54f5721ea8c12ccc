import Box from '@mui/material/Box';
import ButtonBase from '@mui/material/ButtonBase';
import Skeleton from '@mui/material/Skeleton';
import { useState } from 'react';
import { z } from 'zod';
import type { Artifact } from '../../core/contract/run.ts';
import { PictureZoom } from './PictureZoom.tsx';
import { useArtifactUrl } from './use-artifact-url.ts';

/** Names of the rows and columns of a grid; a number of columns names none. */
const GridMeta = z.object({
  rows: z.array(z.string()).optional(),
  columns: z.union([z.array(z.string()), z.number()]).optional(),
});

/** Small pictures are shown at a whole multiple of their size. */
function scaleOf({ width, height }: { readonly width: number; readonly height: number }): number {
  return Math.max(1, Math.min(4, Math.floor(360 / width), Math.floor(640 / height)));
}

/** A picture artifact, with the names of its rows at the left; a click shows it large. */
export function PictureGrid({ artifact }: { readonly artifact: Artifact }) {
  const url = useArtifactUrl(artifact);
  const [isOpen, setOpen] = useState(false);
  const [natural, setNatural] = useState<{ readonly width: number; readonly height: number } | undefined>(undefined);
  const meta = GridMeta.safeParse(artifact.meta);
  const rows = (meta.success ? meta.data.rows : undefined) ?? [];
  const named = meta.success ? meta.data.columns : undefined;
  const columns = Array.isArray(named) ? named : [];
  const size = natural?.width;
  const shownWidth = natural && natural.width * scaleOf(natural);
  if (url === undefined) return <Skeleton height={220} />;
  const picture = (
    <Box
      component="img"
      src={url}
      alt={[
        artifact.title,
        rows.length > 0 ? `a row for each of ${rows.join(', ')}` : '',
        columns.length > 0 ? `a column for each of ${columns.join(', ')}` : '',
      ]
        .filter((part) => part !== '')
        .join('; ')}
      onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
        setNatural({ width: naturalWidth, height: naturalHeight })
      }
      draggable={false}
      sx={{ display: 'block', width: '100%', imageRendering: 'pixelated' }}
    />
  );
  return (
    <>
      <Box
        sx={{
          display: 'grid',
          gridTemplateColumns: rows.length > 0 ? 'auto minmax(0, 1fr)' : 'minmax(0, 1fr)',
          gap: '2px 8px',
          alignItems: 'stretch',
        }}
      >
        {columns.length > 0 && <ColumnNames columns={columns} width={shownWidth} start={rows.length > 0 ? 2 : 1} />}
        {rows.length > 0 && <RowNames rows={rows} />}
        <ButtonBase
          aria-label={`Enlarge: ${artifact.title}`}
          onClick={() => setOpen(true)}
          sx={{
            display: 'block',
            width: '100%',
            maxWidth: shownWidth ?? 'none',
            minWidth: 0,
            cursor: 'zoom-in',
          }}
        >
          {picture}
        </ButtonBase>
      </Box>
      {isOpen && (
        <PictureZoom title={artifact.title} width={size ?? 400} onClose={() => setOpen(false)}>
          {(width) => (
            <Box
              sx={{
                display: 'grid',
                gridTemplateColumns: `${rows.length > 0 ? 'auto ' : ''}${width}px`,
                gap: '2px 8px',
              }}
            >
              {columns.length > 0 && <ColumnNames columns={columns} width={width} start={rows.length > 0 ? 2 : 1} />}
              {rows.length > 0 && <RowNames rows={rows} />}
              {picture}
            </Box>
          )}
        </PictureZoom>
      )}
    </>
  );
}

interface ColumnNamesProps {
  readonly columns: readonly string[];
  readonly width: number | undefined;
  /** Column of the grid around it. */
  readonly start: number;
}

function ColumnNames({ columns, width, start }: ColumnNamesProps) {
  return (
    <Box
      aria-hidden
      sx={{
        gridColumn: start,
        display: 'grid',
        gridTemplateColumns: `repeat(${columns.length}, 1fr)`,
        maxWidth: width ?? 'none',
        color: 'text.secondary',
        fontSize: '0.75rem',
        textAlign: 'center',
      }}
    >
      {columns.map((column, index) => (
        <Box key={index} title={column} sx={{ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }}>
          {column}
        </Box>
      ))}
    </Box>
  );
}

function RowNames({ rows }: { readonly rows: readonly string[] }) {
  return (
    <Box
      aria-hidden
      sx={{
        display: 'grid',
        gridTemplateRows: `repeat(${rows.length}, 1fr)`,
        alignItems: 'center',
        justifyItems: 'end',
        color: 'text.secondary',
        fontSize: '0.75rem',
        flexShrink: 0,
        maxWidth: 120,
      }}
    >
      {rows.map((row, index) => (
        <Box key={index} sx={{ whiteSpace: 'nowrap', overflow: 'hidden', textOverflow: 'ellipsis', maxWidth: '100%' }}>
          {row}
        </Box>
      ))}
    </Box>
  );
}
