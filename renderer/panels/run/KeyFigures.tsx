import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { RunRecord } from '../../../core/contract/run.ts';
import { formatValue } from '../../../core/report/format.ts';
import { humanise, specOf } from '../run-text.ts';

const large = 4;

/** The method's columns as cards, its other figures beneath. */
export function KeyFigures({ record }: { readonly record: RunRecord }) {
  const spec = specOf(record.request.methodId);
  const names = [...new Set([...(spec?.columns ?? []), ...Object.keys(record.metrics)])];
  const figures = names.flatMap((name) => {
    const value = record.metrics[name];
    const metric = spec?.metrics[name];
    if (value === undefined || value === null) return [];
    return [
      {
        name,
        title: metric?.title ?? humanise(name),
        text: formatValue(value, metric?.unit ?? '1'),
        help: metric?.help,
      },
    ];
  });
  if (figures.length === 0) return null;
  return (
    <Box component="section" aria-label="Results" sx={{ mb: 4, containerType: 'inline-size' }}>
      <Box
        sx={{
          display: 'grid',
          gridTemplateColumns: `repeat(${Math.min(2, figures.length)}, minmax(0, 1fr))`,
          // All in a row where there is room, else two and two: never one left over.
          [`@container (min-width: ${8.25 * Math.min(large, figures.length)}rem)`]: {
            gridTemplateColumns: `repeat(${Math.min(large, figures.length)}, minmax(0, 1fr))`,
          },
          // Titles, figures and words stand on one line each, whatever the others need.
          gridAutoRows: 'auto',
          gap: '0 24px',
        }}
      >
        {figures.slice(0, large).map(({ name, title, text, help }, index) => (
          <Box
            key={name}
            sx={{
              display: 'grid',
              gridRow: 'span 3',
              gridTemplateRows: 'subgrid',
              alignContent: 'start',
              borderTop: 2,
              borderColor: index === 0 ? 'primary.main' : 'divider',
              pt: 1,
              mb: 1,
              minWidth: 0,
            }}
          >
            <Typography variant="h3">{title}</Typography>
            <Box
              sx={{
                fontSize: '1.75rem',
                lineHeight: 1.25,
                letterSpacing: '-0.015em',
                color: index === 0 ? 'primary.main' : 'text.primary',
              }}
            >
              {text}
            </Box>
            <Typography variant="caption" color="textSecondary">
              {help}
            </Typography>
          </Box>
        ))}
      </Box>
      {figures.length > large && (
        <Box
          component="dl"
          sx={{ display: 'flex', flexWrap: 'wrap', gap: '4px 28px', mt: 2, mb: 0, fontSize: '0.8125rem' }}
        >
          {figures.slice(large).map(({ name, title, text, help }) => (
            <Box key={name} title={help} sx={{ display: 'flex', gap: 1 }}>
              <Box component="dt" sx={{ color: 'text.secondary' }}>
                {title}
              </Box>
              <Box component="dd" sx={{ m: 0, fontWeight: 550 }}>
                {text}
              </Box>
            </Box>
          ))}
        </Box>
      )}
    </Box>
  );
}
