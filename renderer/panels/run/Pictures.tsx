import Box from '@mui/material/Box';
import Skeleton from '@mui/material/Skeleton';
import Slider from '@mui/material/Slider';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import type { Artifact } from '../../../core/contract/run.ts';
import { formatNumber } from '../../../core/report/format.ts';
import { Section } from '../Page.tsx';
import { pictureItems, type SeriesPicture } from '../picture-series.ts';
import { PictureGrid } from '../PictureGrid.tsx';
import { humanise } from '../run-text.ts';

interface PicturesProps {
  readonly artifacts: readonly Artifact[];
  readonly isActive: boolean;
}

/** Every picture that the run has made so far. */
export function Pictures({ artifacts, isActive }: PicturesProps) {
  const items = pictureItems(artifacts);
  if (items.length === 0) {
    if (!isActive) return null;
    return (
      <Section title="Images">
        <Box sx={{ display: 'grid', gridTemplateColumns: 'repeat(10, 1fr)', gap: 0.5, maxWidth: 560, mb: 1 }}>
          {Array.from({ length: 20 }, (_, index) => (
            <Skeleton key={index} sx={{ height: 'auto', aspectRatio: '1' }} />
          ))}
        </Box>
        <Typography variant="body2" color="textSecondary">
          The first images appear here as soon as they are made.
        </Typography>
      </Section>
    );
  }
  return (
    <Box
      sx={{
        display: 'grid',
        gridTemplateColumns: 'repeat(auto-fill, minmax(min(100%, 21.25rem), 1fr))',
        columnGap: 4,
        alignItems: 'start',
      }}
    >
      {items.map((item) =>
        item.kind === 'series' ? (
          <Box key={`series ${item.name}`} sx={{ gridColumn: spanOf(item.pictures[0]?.picture), minWidth: 0 }}>
            <Section title={humanise(item.name)}>
              <Series pictures={item.pictures} />
            </Section>
          </Box>
        ) : (
          <Box key={item.picture.name} sx={{ gridColumn: spanOf(item.picture), minWidth: 0 }}>
            <Section title={item.picture.title}>
              <PictureGrid artifact={item.picture} />
            </Section>
          </Box>
        ),
      )}
    </Box>
  );
}

/** Pictures of a few columns leave room for another beside them. */
const fewColumns = 4;

function spanOf(picture: Artifact | undefined): 'auto' | '1 / -1' {
  const columns: unknown = picture?.meta['columns'];
  const count = Array.isArray(columns) ? columns.length : typeof columns === 'number' ? columns : undefined;
  return count !== undefined && count <= fewColumns ? 'auto' : '1 / -1';
}

/** One picture of a series at a time; the newest until another one is chosen. */
function Series({ pictures }: { readonly pictures: readonly SeriesPicture[] }) {
  const [chosen, setChosen] = useState<number | undefined>(undefined);
  const index = Math.min(chosen ?? pictures.length - 1, pictures.length - 1);
  const shown = pictures[index];
  if (!shown) return null;
  const isLast = index === pictures.length - 1;
  return (
    <>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 2, mb: 1, px: 1, maxWidth: 560 }}>
        <Slider
          size="small"
          aria-label="Picture of the series"
          min={0}
          max={pictures.length - 1}
          step={1}
          marks={pictures.length <= 40}
          value={index}
          getAriaValueText={(at) => String(pictures[at]?.at ?? '')}
          onChange={(_, next) => setChosen(next === pictures.length - 1 ? undefined : next)}
        />
        <Typography variant="body2" className="figures" sx={{ whiteSpace: 'nowrap', minWidth: 88 }}>
          {formatNumber(shown.at)}
          {isLast && ' (newest)'}
        </Typography>
      </Box>
      <PictureGrid artifact={shown.picture} />
      <Typography variant="caption" color="textSecondary">
        {shown.picture.title}
      </Typography>
    </>
  );
}
