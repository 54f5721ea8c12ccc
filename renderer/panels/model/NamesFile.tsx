import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useRef, useState } from 'react';
import { classNamesInText } from '../../../core/contract/class-names.ts';
import { formatBytes } from '../../../core/report/format.ts';

interface NamesFileProps {
  readonly classCount: number;
  readonly onNames: (names: readonly string[]) => void;
}

/** Larger than the names of any model. */
const mostBytes = 4 * 2 ** 20;

/** Takes the names of the classes from a file of the user: labels.txt, config.json, a list or a dictionary. */
export function NamesFile({ classCount, onNames }: NamesFileProps) {
  const input = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const take = async (file: File): Promise<void> => {
    const names = file.size <= mostBytes ? classNamesInText(await file.text()) : undefined;
    const got = names ? `${names.length} names` : file.size > mostBytes ? formatBytes(file.size) : 'none';
    const isFit = names?.length === classCount;
    setProblem(isFit ? undefined : `${file.name}: expected ${classCount} names of classes, got ${got}.`);
    if (isFit) onNames(names);
  };
  return (
    <Box sx={{ display: 'flex', alignItems: 'center', gap: 1, mt: -0.5 }}>
      <Button onClick={() => input.current?.click()} sx={{ ml: -1 }}>
        Names from a file
      </Button>
      <Typography variant="caption" color={problem === undefined ? 'textSecondary' : 'error'} role="status">
        {problem ?? 'A name a line, or config.json with id2label.'}
      </Typography>
      <input
        ref={input}
        type="file"
        hidden
        accept=".txt,.json,.csv,.names"
        data-testid="names-file"
        onChange={({ target }) => {
          const [file] = target.files ?? [];
          if (file) void take(file);
          target.value = '';
        }}
      />
    </Box>
  );
}
