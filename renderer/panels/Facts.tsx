import Box from '@mui/material/Box';
import type { ReactNode } from 'react';

export interface Fact {
  readonly label: string;
  readonly value: ReactNode;
}

/** Label and value in two columns, a hairline between rows. */
export function Facts({ facts, labelWidth = 132 }: { readonly facts: readonly Fact[]; readonly labelWidth?: number }) {
  return (
    <Box component="dl" sx={{ m: 0, fontSize: '0.8125rem' }}>
      {facts.map(({ label, value }) => (
        <Box
          key={label}
          sx={{
            display: 'grid',
            gridTemplateColumns: `minmax(0, ${labelWidth / 16}rem) minmax(0, 1fr)`,
            gap: 1.5,
            py: 0.625,
            '& + &': { borderTop: 1, borderColor: (theme) => theme.palette.divider },
          }}
        >
          <Box component="dt" sx={{ color: 'text.secondary' }}>
            {label}
          </Box>
          <Box component="dd" sx={{ m: 0, minWidth: 0 }}>
            {value}
          </Box>
        </Box>
      ))}
    </Box>
  );
}
