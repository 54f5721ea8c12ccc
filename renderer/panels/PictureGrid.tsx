import Box from '@mui/material/Box';
import ButtonBase from '@mui/material/ButtonBase';
import Dialog from '@mui/material/Dialog';
import IconButton from '@mui/material/IconButton';
import Skeleton from '@mui/material/Skeleton';
import ToggleButton from '@mui/material/ToggleButton';
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { z } from 'zod';
import type { Artifact } from '../../core/contract/run.ts';
import { Icon } from '../icons/Icon.tsx';
import { useArtifactUrl } from './use-artifact-url.ts';

const GridMeta = z.object({ rows: z.array(z.string()).optional() });
const zooms = [1, 2, 4] as const;

/** A picture artifact, with the names of its rows at the left; a click shows it large. */
export function PictureGrid({ artifact }: { readonly artifact: Artifact }) {
  const url = useArtifactUrl(artifact);
  const [isOpen, setOpen] = useState(false);
  const [zoom, setZoom] = useState<number>(2);
  const [size, setSize] = useState<number | undefined>(undefined);
  const meta = GridMeta.safeParse(artifact.meta);
  const rows = (meta.success ? meta.data.rows : undefined) ?? [];
  if (url === undefined) return <Skeleton height={220} />;
  const picture = (
    <Box
      component="img"
      src={url}
      alt={`${artifact.title}${rows.length > 0 ? `, a row for each of ${rows.join(', ')}` : ''}`}
      onLoad={(event) => setSize(event.currentTarget.naturalWidth)}
      sx={{ display: 'block', width: '100%', imageRendering: 'pixelated' }}
    />
  );
  return (
    <>
      <Box sx={{ display: 'flex', gap: 1, alignItems: 'stretch' }}>
        {rows.length > 0 && <RowNames rows={rows} />}
        <ButtonBase
          aria-label={`Enlarge: ${artifact.title}`}
          onClick={() => setOpen(true)}
          sx={{
            display: 'block',
            flex: '0 1 auto',
            maxWidth: size === undefined ? 'none' : size,
            minWidth: 0,
            cursor: 'zoom-in',
          }}
        >
          {picture}
        </ButtonBase>
      </Box>
      <Dialog open={isOpen} onClose={() => setOpen(false)} maxWidth={false} aria-label={artifact.title}>
        <Box
          sx={{ display: 'flex', alignItems: 'center', gap: 2, px: 2, py: 1, borderBottom: 1, borderColor: 'divider' }}
        >
          <Typography variant="h2" sx={{ mr: 'auto' }}>
            {artifact.title}
          </Typography>
          <ToggleButtonGroup
            exclusive
            size="small"
            value={zoom}
            aria-label="Enlargement"
            onChange={(_, next: number | null) => next !== null && setZoom(next)}
          >
            {zooms.map((each) => (
              <ToggleButton key={each} value={each} sx={{ py: 0.25 }}>
                {each}×
              </ToggleButton>
            ))}
          </ToggleButtonGroup>
          <IconButton aria-label="Close" onClick={() => setOpen(false)}>
            <Icon name="close" />
          </IconButton>
        </Box>
        <Box sx={{ overflow: 'auto', p: 2, display: 'flex', gap: 1 }}>
          {rows.length > 0 && <RowNames rows={rows} />}
          <Box sx={{ width: (size ?? 400) * zoom, flexShrink: 0 }}>{picture}</Box>
        </Box>
      </Dialog>
    </>
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
