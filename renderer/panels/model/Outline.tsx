import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import { useState } from 'react';
import type { ModelInspection } from '../../../core/contract/inspection.ts';

type Layers = NonNullable<ModelInspection['classifier']>['featureLayers'];
const shownAtFirst = 16;

/** The way of an image through the model: operator, name and the size of what comes out of it. */
export function Outline({ layers }: { readonly layers: Layers }) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? layers : layers.slice(0, shownAtFirst);
  return (
    <>
      <Box component="ol" sx={{ listStyle: 'none', m: 0, p: 0, fontSize: '0.8125rem' }}>
        {shown.map(({ name, op, shape }, index) => (
          <Box
            component="li"
            key={name}
            sx={{ display: 'grid', gridTemplateColumns: '28px 112px minmax(0, 1fr) auto', gap: 1, py: 0.375 }}
          >
            <Box sx={{ color: 'text.secondary', textAlign: 'right', pr: 0.5 }}>{index + 1}</Box>
            <Box sx={{ fontWeight: 550 }}>{op}</Box>
            <Box
              component="code"
              sx={{ color: 'text.secondary', overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }}
            >
              {name}
            </Box>
            <Box sx={{ color: 'text.secondary' }}>{shape.join(' × ')}</Box>
          </Box>
        ))}
      </Box>
      {layers.length > shownAtFirst && (
        <Button onClick={() => setWhole(!isWhole)}>{isWhole ? 'Fewer' : `All ${layers.length} layers`}</Button>
      )}
    </>
  );
}
