import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useEffect, type ReactNode } from 'react';

interface PageProps {
  readonly title: string;
  /** Before the title in the window's title: how far a run has come, seen while another window is in front. */
  readonly mark?: string;
  readonly subtitle?: ReactNode;
  readonly actions?: ReactNode;
  /** Fills the height instead of scrolling as a whole. */
  readonly isFull?: boolean;
  readonly width?: number;
  readonly children: ReactNode;
}

/** Head and body of a page; the head names the window's title too. */
export function Page({ title, mark, subtitle, actions, isFull = false, width = 1280, children }: PageProps) {
  useEffect(() => {
    document.title = [mark, title, 'Palimpsest'].filter((part) => part !== undefined).join(' · ');
  }, [mark, title]);
  return (
    <Box
      sx={{
        maxWidth: `${width / 16}rem`,
        px: { xs: 3, lg: 5 },
        pt: 3.5,
        pb: isFull ? 0 : 6,
        ...(isFull && { height: '100%', display: 'flex', flexDirection: 'column' }),
      }}
    >
      <Box component="header" sx={{ display: 'flex', gap: 3, alignItems: 'flex-start', mb: 3, flexWrap: 'wrap' }}>
        <Box sx={{ flex: '1 1 min(100%, 20rem)', minWidth: 0 }}>
          <Typography variant="h1">{title}</Typography>
          {subtitle !== undefined && (
            <Typography component="div" variant="body1" color="textSecondary" sx={{ mt: 0.5, maxWidth: '45rem' }}>
              {subtitle}
            </Typography>
          )}
        </Box>
        {actions !== undefined && (
          <Box sx={{ display: 'flex', gap: 1, flexWrap: 'wrap', pt: 0.25, alignItems: 'center' }}>{actions}</Box>
        )}
      </Box>
      {children}
    </Box>
  );
}

interface SectionProps {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

/** A part of a page under a hairline. */
export function Section({ title, aside, children }: SectionProps) {
  return (
    <Box component="section" sx={{ mb: 4, minWidth: 0 }}>
      <Box
        sx={{
          display: 'flex',
          alignItems: 'center',
          justifyContent: 'space-between',
          flexWrap: 'wrap',
          gap: '0 16px',
          minHeight: 32,
          mb: 1.5,
          borderBottom: 1,
          borderColor: 'divider',
          // The words of a button without a frame end where the line ends, and so does the picture of an icon.
          '& > .MuiButton-text': { mr: -1.5 },
          '& > .MuiIconButton-root': { mr: -0.625 },
        }}
      >
        <Typography variant="h2">{title}</Typography>
        {aside}
      </Box>
      {children}
    </Box>
  );
}
