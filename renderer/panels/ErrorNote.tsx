import Alert from '@mui/material/Alert';
import AlertTitle from '@mui/material/AlertTitle';
import Box from '@mui/material/Box';
import { z } from 'zod';
import type { ErrorShape } from '../../core/base/errors.ts';
import { CopyButton } from './CopyButton.tsx';

interface ErrorNoteProps {
  readonly error: Pick<ErrorShape, 'code' | 'message' | 'hint' | 'details'>;
  /** For a bug report; copied, not shown. */
  readonly details?: string | undefined;
}

/** Files of a data set, each with what is wrong with it. */
const WrongFiles = z.object({ wrongFiles: z.array(z.object({ path: z.string(), reason: z.string() })).min(2) });

/** What failed and what to do next. */
export function ErrorNote({ error, details }: ErrorNoteProps) {
  const wrong = WrongFiles.safeParse(error.details);
  const text = [`${error.code}: ${error.message}`, error.hint, details].filter(Boolean).join('\n');
  return (
    <Alert severity="error" action={<CopyButton text={text} title="Copy the details" />}>
      <AlertTitle sx={{ fontSize: '0.875rem', m: 0 }}>{error.message}</AlertTitle>
      {error.hint !== undefined && <Box>{error.hint}</Box>}
      {wrong.success && (
        <Box component="details" sx={{ my: 0.5 }}>
          <summary>All {wrong.data.wrongFiles.length} files, one by one</summary>
          <Box component="ul" sx={{ m: 0, pl: 2.5, maxHeight: 300, overflowY: 'auto' }}>
            {wrong.data.wrongFiles.map(({ path, reason }) => (
              <li key={path}>{reason.includes(path) ? reason : `${path}: ${reason}`}</li>
            ))}
          </Box>
        </Box>
      )}
      <Box component="code" sx={{ color: 'text.secondary', fontSize: '0.72rem' }}>
        {error.code}
      </Box>
    </Alert>
  );
}
