import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import Tooltip from '@mui/material/Tooltip';
import { useState } from 'react';
import type { RunDetails } from '../../../core/contract/history.ts';
import type { ModelRef, RunRecord } from '../../../core/contract/run.ts';
import { formatValue } from '../../../core/methods/param-text.ts';
import { paramFields, type ValueShape } from '../../../core/methods/parameters.ts';
import { formatBytes, formatDuration, formatInstant } from '../../../core/report/format.ts';
import { useAction } from '../../bridge/use-action.ts';
import { useBridge } from '../../bridge/use-bridge.ts';
import { baseParams } from '../../forms/form-model.ts';
import { Icon } from '../../icons/Icon.tsx';
import { ErrorNote } from '../ErrorNote.tsx';
import { Facts, type Fact } from '../Facts.tsx';
import { Section } from '../Page.tsx';
import { humanise, isActive, specOf } from '../run-text.ts';
import { followLink } from '../save.ts';

/** Models, data and the parameters that differ from the defaults; the others on demand. */
export function Request({ details }: { readonly details: RunDetails }) {
  const { request } = details.record;
  const [isWhole, setWhole] = useState(false);
  const spec = specOf(request.methodId);
  const base = spec ? baseParams(spec, undefined) : {};
  const fields = spec ? paramFields(spec) : [];
  const shown = fields.filter(
    ({ name }) => isWhole || JSON.stringify(request.params[name] ?? base[name]) !== JSON.stringify(base[name]),
  );
  const facts: Fact[] = [
    ...(request.recipe === undefined
      ? []
      : [{ label: 'Recipe', value: spec?.recipes[request.recipe]?.title ?? request.recipe }]),
    ...Object.entries(request.models).map(([role, model]) => ({
      label: spec?.models[role]?.title ?? humanise(role),
      value: <span title={modelName(model)}>{lastPart(modelName(model))}</span>,
    })),
    ...Object.entries(request.data).map(([role, { path, split, limit }]) => ({
      label: spec?.data[role]?.title ?? humanise(role),
      value: (
        <span title={path}>
          {lastPart(path)}, {split}
          {limit !== undefined && `, ${limit} items`}
        </span>
      ),
    })),
    ...shown.map(({ name, shape, ui }) => {
      const value = request.params[name];
      const unit =
        ui.unit === undefined || ui.unit === '1' || ui.unit === 'fraction' ? '' : `\u00a0${unitOf(ui.unit, value)}`;
      return {
        label: ui.title,
        value: value === undefined ? '–' : `${textOf(shape, value)}${unit}`,
      };
    }),
  ];
  return (
    <Section
      title="Asked for"
      aside={
        <Button onClick={() => setWhole(!isWhole)} aria-expanded={isWhole}>
          {isWhole ? 'Changed only' : `All ${fields.length} parameters`}
        </Button>
      }
    >
      <Facts facts={facts} />
    </Section>
  );
}

/** As on the command line; the items of a list are set apart. */
function textOf(shape: ValueShape, value: unknown): string {
  const text = formatValue(shape, value);
  return Array.isArray(value) ? text.replaceAll(/,(?=\S)/g, ', ') : text;
}

/** "1 step", "2 steps". */
const unitOf = (unit: string, value: unknown): string =>
  value === 1 ? unit.replace(/(?<=ss)es$|(?<=[a-z])s$/, '') : unit;

export function Surroundings({ record }: { readonly record: RunRecord }) {
  const { environment, startedAtMs, finishedAtMs, durationMs, jobs } = record;
  const facts: Fact[] = [
    { label: 'Started', value: startedAtMs === null ? '–' : formatInstant(startedAtMs) },
    ...(finishedAtMs === null ? [] : [{ label: 'Finished', value: formatInstant(finishedAtMs) }]),
    ...(isActive(record.state)
      ? []
      : [{ label: 'Computing time', value: `${formatDuration(durationMs)}${jobs > 1 ? ` in ${jobs} attempts` : ''}` }]),
    ...(environment
      ? [
          { label: 'Device', value: `${environment.deviceUsed}, ${environment.threads} threads` },
          { label: 'Processor', value: environment.cpu },
          { label: 'Versions', value: `Palimpsest ${environment.palimpsest}, onnxruntime ${environment.onnxruntime}` },
        ]
      : []),
  ];
  return (
    <Section title="Made with">
      <Facts facts={facts} />
    </Section>
  );
}

/** What the run left on disk; each can be saved. */
export function Files({ record }: { readonly record: RunRecord }) {
  const bridge = useBridge();
  const { error, run } = useAction();
  if (record.artifacts.length === 0) return null;
  const save = (name: string): void => {
    const target = { kind: 'artifact' as const, runId: record.runId, name };
    run(async () => followLink((await bridge.request('links.create', target)).url));
  };
  return (
    <Section title="Files">
      <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0, fontSize: '0.8125rem' }}>
        {record.artifacts.map(({ name, title, sizeBytes }) => (
          <Box
            component="li"
            key={name}
            sx={{ display: 'flex', alignItems: 'center', gap: 1, '& + &': { borderTop: 1, borderColor: 'divider' } }}
          >
            <Box sx={{ flex: 1, minWidth: 0 }}>{title}</Box>
            <Box sx={{ color: 'text.secondary', whiteSpace: 'nowrap' }}>{formatBytes(sizeBytes)}</Box>
            <Tooltip title={`Save ${name}`}>
              <IconButton aria-label={`Save ${title}`} onClick={() => save(name)}>
                <Icon name="download" sx={{ fontSize: '1rem' }} />
              </IconButton>
            </Tooltip>
          </Box>
        ))}
      </Box>
      {error && <ErrorNote error={error} />}
    </Section>
  );
}

function modelName(model: ModelRef): string {
  return model.kind === 'zoo' ? model.architecture : model.path;
}

function lastPart(path: string): string {
  return path.split(/[/\\]/).findLast((part) => part !== '') ?? path;
}
