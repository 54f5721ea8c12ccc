import Alert from '@mui/material/Alert';
import AlertTitle from '@mui/material/AlertTitle';
import Box from '@mui/material/Box';
import type { ErrorShape } from '../../core/base/errors.ts';
import { CopyButton } from './CopyButton.tsx';

interface ErrorNoteProps {
  readonly error: Pick<ErrorShape, 'code' | 'message' | 'hint'>;
  /** For a bug report; copied, not shown. */
  readonly details?: string | undefined;
}

/** What failed and what to do next. */
export function ErrorNote({ error, details }: ErrorNoteProps) {
  const text = [`${error.code}: ${error.message}`, error.hint, details].filter(Boolean).join('\n');
  return (
    <Alert severity="error" action={<CopyButton text={text} title="Copy the details" />}>
      <AlertTitle sx={{ fontSize: '0.875rem', m: 0 }}>{error.message}</AlertTitle>
      {error.hint !== undefined && <Box>{error.hint}</Box>}
      <Box component="code" sx={{ color: 'text.secondary', fontSize: '0.72rem' }}>
        {error.code}
      </Box>
    </Alert>
  );
}
