import Box from '@mui/material/Box';
import Link from '@mui/material/Link';
import Typography from '@mui/material/Typography';
import { useMemo } from 'react';
import { catalogue } from '../../core/methods/catalogue.ts';
import type { MethodSpec } from '../../core/methods/define.ts';
import { hrefOf } from '../app/routes.ts';
import { useRequest } from '../bridge/use-bridge.ts';
import { draftOf, newDraft } from '../forms/form-model.ts';
import { RunForm } from '../forms/RunForm.tsx';
import { Icon } from '../icons/Icon.tsx';
import { Empty } from '../panels/Empty.tsx';
import { ErrorNote } from '../panels/ErrorNote.tsx';
import { Page } from '../panels/Page.tsx';
import { PageSkeleton } from '../panels/PageSkeleton.tsx';
import { specOf } from '../panels/run-text.ts';

interface NewRunProps {
  readonly methodId: string | undefined;
  /** A run whose request the form starts from. */
  readonly from: string | undefined;
  readonly recipe: string | undefined;
  /** Path of a model that takes the first role. */
  readonly model: string | undefined;
}

export function NewRunPage({ methodId, from, recipe, model }: NewRunProps) {
  if (methodId === undefined) return <Methods />;
  const spec = specOf(methodId);
  if (!spec) {
    return (
      <Page title="New run">
        <Empty title={`There is no method "${methodId}"`}>
          <Link href={hrefOf({ page: 'new' })}>Choose one of those there are.</Link>
        </Empty>
      </Page>
    );
  }
  return from === undefined ? <Fresh spec={spec} recipe={recipe} model={model} /> : <Again spec={spec} from={from} />;
}

interface FreshProps {
  readonly spec: MethodSpec;
  readonly recipe: string | undefined;
  readonly model: string | undefined;
}

function Fresh({ spec, recipe, model }: FreshProps) {
  const { data: settings, error } = useRequest('settings.get', {});
  const device = settings?.device ?? 'auto';
  const draft = useMemo(() => {
    const fresh = { ...newDraft(spec, recipe ?? Object.keys(spec.recipes)[0]), device };
    const [first] = Object.keys(spec.models);
    if (model === undefined || first === undefined) return fresh;
    return { ...fresh, models: { ...fresh.models, [first]: model } };
  }, [spec, recipe, model, device]);
  if (!settings && !error) return <PageSkeleton />;
  return <RunForm spec={spec} initial={draft} />;
}

function Again({ spec, from }: { readonly spec: MethodSpec; readonly from: string }) {
  const { data, error } = useRequest('runs.get', { runId: from });
  if (error) {
    return (
      <Page title="New run">
        <ErrorNote error={error} />
      </Page>
    );
  }
  if (!data) return <PageSkeleton />;
  return <RunForm spec={spec} initial={draftOf(spec, data.record.request)} from={from} />;
}

function Methods() {
  return (
    <Page
      title="New run"
      subtitle="Choose what to do; the next page asks for models, data and parameters."
      width={1000}
    >
      <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0 }}>
        {catalogue.map((spec) => (
          <Box component="li" key={spec.id} sx={{ borderTop: 1, borderColor: 'divider' }}>
            <Link
              href={hrefOf({ page: 'new', methodId: spec.id })}
              underline="none"
              color="textPrimary"
              sx={{
                display: 'grid',
                gridTemplateColumns: 'minmax(0, 1fr) 20px',
                alignItems: 'center',
                gap: 2,
                py: 2,
                px: 1.5,
                mx: -1.5,
                borderRadius: 1,
                '&:hover': { bgcolor: 'action.hover' },
              }}
            >
              <Box>
                <Typography sx={{ fontSize: '1rem', fontWeight: 600 }}>{spec.title}</Typography>
                <Typography variant="body1" color="textSecondary" sx={{ maxWidth: 720 }}>
                  {spec.summary}
                </Typography>
                {spec.papers.length > 0 && (
                  <Typography variant="caption" color="textSecondary">
                    {spec.papers
                      .map(({ authors, venue, year }) => `${firstAuthor(authors)}, ${venue} ${year}`)
                      .join(' · ')}
                  </Typography>
                )}
              </Box>
              <Icon name="next" sx={{ color: 'text.secondary' }} />
            </Link>
          </Box>
        ))}
      </Box>
    </Page>
  );
}

function firstAuthor(authors: string): string {
  const [first = authors, ...others] = authors.split(', ');
  return others.length > 0 ? `${first} et al.` : first;
}
