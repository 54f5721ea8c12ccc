import Box from '@mui/material/Box';
import Dialog from '@mui/material/Dialog';
import IconButton from '@mui/material/IconButton';
import ToggleButton from '@mui/material/ToggleButton';
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup';
import Tooltip from '@mui/material/Tooltip';
import Typography from '@mui/material/Typography';
import { useId, useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react';
import { Icon } from '../icons/Icon.tsx';
import { nextZoom, usualZoom, zooms } from './zoom.ts';

interface PictureZoomProps {
  readonly title: string;
  /** CSS pixels of the picture as it is stored. */
  readonly width: number;
  readonly onClose: () => void;
  /** What is shown, at so many CSS pixels. */
  readonly children: (width: number) => ReactNode;
}

/** A picture by itself, larger: chosen sizes or + and −, moved by dragging, scrolling or the arrow keys. */
export function PictureZoom({ title, width, onClose, children }: PictureZoomProps) {
  const [zoom, setZoom] = useState(() => usualZoom(width, window.innerWidth));
  const id = useId();
  const region = useRef<HTMLDivElement>(null);
  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === '+' || event.key === '=') setZoom(nextZoom(zoom, 1));
    else if (event.key === '-') setZoom(nextZoom(zoom, -1));
    else return;
    event.preventDefault();
  };
  const onDrag = ({ buttons, movementX, movementY }: PointerEvent): void => {
    if (buttons === 1) region.current?.scrollBy(-movementX, -movementY);
  };
  return (
    <Dialog open onClose={onClose} maxWidth={false} aria-labelledby={id} onKeyDown={onKey}>
      <Box
        sx={{
          display: 'flex',
          alignItems: 'center',
          gap: '8px 16px',
          flexWrap: 'wrap',
          px: 2,
          py: 1,
          borderBottom: 1,
          borderColor: 'divider',
        }}
      >
        <Typography id={id} variant="h2" sx={{ mr: 'auto' }}>
          {title}
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
        <Tooltip title="Close">
          <IconButton aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </IconButton>
        </Tooltip>
      </Box>
      <Box
        ref={region}
        tabIndex={0}
        role="region"
        aria-label={`${title}, enlarged`}
        onPointerMove={onDrag}
        sx={{
          overflow: 'auto',
          p: 2,
          cursor: 'grab',
          '&:active': { cursor: 'grabbing' },
          '& img': { maxWidth: 'none' },
        }}
      >
        {children(width * zoom)}
      </Box>
    </Dialog>
  );
}
