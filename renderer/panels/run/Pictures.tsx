import Box from '@mui/material/Box';
import Skeleton from '@mui/material/Skeleton';
import Typography from '@mui/material/Typography';
import type { Artifact } from '../../../core/contract/run.ts';
import { Section } from '../Page.tsx';
import { PictureGrid } from '../PictureGrid.tsx';

interface PicturesProps {
  readonly artifacts: readonly Artifact[];
  readonly isActive: boolean;
}

/** Every picture that the run has made so far. */
export function Pictures({ artifacts, isActive }: PicturesProps) {
  const pictures = artifacts.filter(({ mediaType }) => mediaType.startsWith('image/'));
  if (pictures.length === 0) {
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
  return pictures.map((artifact) => (
    <Section key={artifact.name} title={artifact.title}>
      <PictureGrid artifact={artifact} />
    </Section>
  ));
}
