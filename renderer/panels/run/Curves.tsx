import Box from '@mui/material/Box';
import { useMemo, useState } from 'react';
import type { RunView } from '../../bridge/run-state.ts';
import { familiesOf, unchanged, type Curve } from '../../charts/families.ts';
import { LineChart } from '../../charts/LineChart.tsx';
import { Section } from '../Page.tsx';
import { humanise, specOf } from '../run-text.ts';

/** The run's curves, a chart for each kind, as they grow. */
export function Curves({ view }: { readonly view: Pick<RunView, 'series' | 'seriesVersion' | 'details'> }) {
  const { series, seriesVersion, details } = view;
  const { runId } = details.record;
  const spec = specOf(details.record.request.methodId);
  const [drawn] = useState(() => new Map<string, readonly Curve[]>());
  const charts = useMemo(
    () =>
      familiesOf([...series.keys()]).map(({ name, members }) => {
        const curves = unchanged(
          drawn.get(name),
          members.map((member) => ({
            label: members.length === 1 ? humanise(member.label) : member.label,
            points: series.get(member.series)?.view() ?? [],
            source: { runId, name: member.series },
          })),
        );
        drawn.set(name, curves);
        return { name, curves };
      }),
    // The buffers grow in place; their version says when.
    [series, seriesVersion, drawn, runId],
  );
  if (charts.length === 0) return null;
  const titleOf = (name: string): string =>
    spec?.metrics[name]?.title ?? details.tables.find((table) => table.name === name)?.title ?? humanise(name);
  return (
    <Section title="Curves">
      <Box sx={{ display: 'grid', gap: 3, gridTemplateColumns: 'repeat(auto-fit, minmax(min(100%, 21.25rem), 1fr))' }}>
        {charts.map(({ name, curves }) => (
          <LineChart key={name} title={titleOf(name)} curves={curves} xTitle="step" fileName={`${runId}-${name}`} />
        ))}
      </Box>
    </Section>
  );
}
