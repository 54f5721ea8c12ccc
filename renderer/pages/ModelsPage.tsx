import Box from '@mui/material/Box';
import Link from '@mui/material/Link';
import type { KnownModel } from '../../core/contract/inspection.ts';
import { formatBytes, formatNumber } from '../../core/report/format.ts';
import { hrefOf } from '../app/routes.ts';
import { goTo } from '../app/use-route.ts';
import { useRequest } from '../bridge/use-bridge.ts';
import { DropZone } from '../panels/DropZone.tsx';
import { ErrorNote } from '../panels/ErrorNote.tsx';
import { ModelCard } from '../panels/model/ModelCard.tsx';
import { Page, Section } from '../panels/Page.tsx';
import { Rows } from '../panels/PageSkeleton.tsx';

/** Models that this workspace has met, and the card of one of them. */
export function ModelsPage({ path }: { readonly path: string | undefined }) {
  const models = useRequest('models.list', {}, (event) => event.type === 'library');
  if (path !== undefined) {
    return (
      <ModelCard path={path} known={models.data?.find((model) => model.path === path || isBundledAs(model, path))} />
    );
  }
  return (
    <Page title="Models" subtitle="Trained classifiers as ONNX files, from any framework.">
      <DropZone
        kind="model"
        title="Drop an .onnx file here"
        note="With its .data file, config.json or labels.txt, if it has them. It is inspected in a process of its own; nothing leaves this machine."
        onPath={(found) => goTo({ page: 'models', path: found })}
      />
      <Section title="Known models">
        {models.error && <ErrorNote error={models.error} />}
        {!models.data && !models.error && <Rows count={4} />}
        <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0 }}>
          {models.data?.map((model, at, all) => (
            <Model key={model.path} model={model} twin={twinOf(model, all.slice(0, at))} />
          ))}
        </Box>
      </Section>
    </Page>
  );
}

/** Forms and commands name a bundled model by `bundled:NAME`. */
function isBundledAs({ origin, name }: KnownModel, path: string): boolean {
  return origin === 'bundled' && path === `bundled:${name.replace(/\.onnx$/, '')}`;
}

const origins = { bundled: 'bundled', uploaded: 'in the workspace', opened: 'on the host' } as const;

/** A file listed before with the same content. */
function twinOf({ sha256 }: KnownModel, before: readonly KnownModel[]): KnownModel | undefined {
  return sha256 === null ? undefined : before.find((each) => each.sha256 === sha256);
}

function Model({ model, twin }: { readonly model: KnownModel; readonly twin: KnownModel | undefined }) {
  const { path, name, origin, sizeBytes, classCount, image, parameters, isMissing } = model;
  const facts = [
    image && `${image.join(' × ')} input`,
    classCount !== null && `${classCount} classes`,
    parameters !== null && `${formatNumber(parameters)} parameters`,
  ].filter(Boolean);
  return (
    <Box component="li" sx={{ '& + &': { borderTop: 1, borderColor: 'divider' } }}>
      <Link
        href={hrefOf({ page: 'models', path })}
        underline="none"
        color="textPrimary"
        sx={{
          display: 'grid',
          gridTemplateColumns: 'minmax(0, 1fr) auto auto',
          gap: 3,
          py: 1,
          px: 1,
          mx: -1,
          borderRadius: 1,
          fontSize: '0.8125rem',
          '&:hover': { bgcolor: 'action.hover' },
        }}
      >
        <Box sx={{ minWidth: 0 }}>
          <Box sx={{ fontWeight: 550 }}>{name}</Box>
          <Box sx={{ color: isMissing ? 'warning.main' : 'text.secondary' }}>
            {isMissing ? 'The file is gone from its place' : facts.join(', ') || 'not inspected yet'}
            {twin && ` · the same file as ${twin.name}, listed above`}
          </Box>
        </Box>
        <Box sx={{ color: 'text.secondary' }}>{origins[origin]}</Box>
        <Box sx={{ color: 'text.secondary', textAlign: 'right', minWidth: 72 }}>{formatBytes(sizeBytes)}</Box>
      </Link>
    </Box>
  );
}
