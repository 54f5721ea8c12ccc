import Box from '@mui/material/Box';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import { useMemo, useState } from 'react';
import type { RunRow } from '../../core/contract/history.ts';
import { LineChart } from '../charts/LineChart.tsx';
import { humanise, specOf } from './run-text.ts';
import { axesOf, isSeed, metricsOf, sweepCurves } from './sweep-curves.ts';
import { variedTitle } from './varied.ts';

/** Of a group: one figure over what was varied. Nothing when no number was. */
export function GroupChart({ rows, fileName }: { readonly rows: readonly RunRow[]; readonly fileName: string }) {
  const [axes, metrics] = useMemo(() => [axesOf(rows), metricsOf(rows)], [rows]);
  const [chosenAxis, setAxis] = useState<string | undefined>(undefined);
  const [chosenMetric, setMetric] = useState<string | undefined>(undefined);
  const spec = specOf(rows[0]?.methodId ?? '');
  const usual = spec?.columns.find((name) => metrics.includes(name)) ?? metrics[0];
  const axis = axes.find(({ field }) => field === chosenAxis) ?? axes[0];
  const metric = metrics.find((name) => name === chosenMetric) ?? usual;
  if (axis === undefined || metric === undefined) return null;
  const curves = sweepCurves(rows, axis, metric);
  const titleOf = (name: string): string => spec?.metrics[name]?.title ?? humanise(name);
  const axisTitles = new Map(axes.map((each) => [each.field, variedTitle(spec, each)]));
  const axisTitle = (field: string): string => axisTitles.get(field) ?? field;
  const isAveraged = !isSeed(axis) && axes.some(isSeed);
  return (
    <Box
      sx={{
        display: 'grid',
        gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: '11.25rem minmax(0, 1fr)' },
        gap: 3,
        mb: 2,
        flexShrink: 0,
      }}
    >
      <Box sx={{ display: 'grid', gap: 1.5, alignContent: 'start', pt: 1 }}>
        <Choice label="Figure" value={metric} names={metrics} titleOf={titleOf} onChange={setMetric} />
        <Choice label="Over" value={axis.field} names={[...axisTitles.keys()]} titleOf={axisTitle} onChange={setAxis} />
        <Box sx={{ fontSize: '0.75rem', color: 'text.secondary' }}>{isAveraged && 'Mean over the seeds.'}</Box>
      </Box>
      <LineChart
        title={`${titleOf(metric)} over ${axisTitle(axis.field).toLowerCase()}`}
        xTitle={axisTitle(axis.field).toLowerCase()}
        curves={curves}
        fileName={`${fileName}-${metric}`}
        height={180}
      />
    </Box>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly names: readonly string[];
  readonly titleOf: (name: string) => string;
  readonly onChange: (name: string) => void;
}

function Choice({ label, value, names, titleOf, onChange }: ChoiceProps) {
  return (
    <TextField select label={label} value={value} onChange={({ target }) => onChange(target.value)}>
      {names.map((name) => (
        <MenuItem key={name} value={name}>
          {titleOf(name)}
        </MenuItem>
      ))}
    </TextField>
  );
}
