import Box from '@mui/material/Box';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { formatInstant, formatNumber } from '../../../core/report/format.ts';
import type { LogLine } from '../../bridge/run-state.ts';
import { CopyButton } from '../CopyButton.tsx';
import { Section } from '../Page.tsx';
import { matching } from './log-search.ts';

/** Few lines are read as a whole. */
const searchedFrom = 6;

/** What the run has said, with the time of day; searched once there is something to search. */
export function Log({ lines }: { readonly lines: readonly LogLine[] }) {
  const [asked, setAsked] = useState('');
  if (lines.length === 0) return null;
  const shown = matching(lines, asked);
  const text = shown.map((line) => `${formatInstant(line.atMs)} ${line.level} ${line.message}`).join('\n');
  return (
    <Section
      title="Log"
      aside={
        <Box sx={{ display: 'flex', alignItems: 'center', gap: 1, py: 0.5 }}>
          {asked !== '' && (
            <Typography variant="caption" color="textSecondary" role="status">
              {formatNumber(shown.length)} of {formatNumber(lines.length)}
            </Typography>
          )}
          {lines.length >= searchedFrom && (
            <TextField
              type="search"
              placeholder="Search the log"
              value={asked}
              onChange={({ target }) => setAsked(target.value)}
              slotProps={{ htmlInput: { 'aria-label': 'Search the log' } }}
              sx={{ width: 180 }}
            />
          )}
          <CopyButton text={text} title="Copy the log" />
        </Box>
      }
    >
      <Box role="log" aria-label="Log" tabIndex={0} sx={{ fontSize: '0.8125rem', maxHeight: 320, overflowY: 'auto' }}>
        <Box component="ol" sx={{ listStyle: 'none', m: 0, p: 0 }}>
          {shown.map(({ jobId, seq, atMs, level, message }) => (
            <Box
              component="li"
              key={`${jobId} ${seq}`}
              sx={{ display: 'grid', gridTemplateColumns: '72px minmax(0, 1fr)', gap: 1, py: 0.25 }}
            >
              <Box className="figures" sx={{ color: 'text.secondary' }}>
                {formatInstant(atMs).slice(11, 19)}
              </Box>
              <Box sx={{ color: level === 'warning' ? 'warning.main' : 'inherit' }}>
                {level === 'warning' && 'Warning: '}
                {message}
              </Box>
            </Box>
          ))}
        </Box>
      </Box>
      {shown.length === 0 && (
        <Typography variant="body2" color="textSecondary">
          No line has “{asked.trim()}” in it.
        </Typography>
      )}
    </Section>
  );
}
