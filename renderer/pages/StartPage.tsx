import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Link from '@mui/material/Link';
import Typography from '@mui/material/Typography';
import type { DraftRequest } from '../../core/contract/bridge.ts';
import { catalogue } from '../../core/methods/catalogue.ts';
import { roughDuration } from '../../core/report/estimate-text.ts';
import { hrefOf } from '../app/routes.ts';
import { useThemeMode } from '../app/settings.ts';
import { tokens } from '../app/tokens.ts';
import { goTo } from '../app/use-route.ts';
import { useAction } from '../bridge/use-action.ts';
import { useBridge, useRequest } from '../bridge/use-bridge.ts';
import { useMeasuring } from '../bridge/use-measuring.ts';
import { Icon } from '../icons/Icon.tsx';
import { ErrorNote } from '../panels/ErrorNote.tsx';
import { MachineSummary } from '../panels/MachineSummary.tsx';
import { Page, Section } from '../panels/Page.tsx';
import { Rows } from '../panels/PageSkeleton.tsx';
import { RunList } from '../panels/RunList.tsx';

/** The bundled teacher, read out and distilled with the quick recipe: every other value is the declaration's default. */
const example: DraftRequest = {
  methodId: 'data-impressions',
  recipe: 'quick',
  params: {},
  models: {},
  data: {},
};

export function StartPage() {
  const runs = useRequest('runs.list', { limit: 6 }, (event) => event.type === 'run' || event.type === 'runs-removed');
  const machine = useRequest('machine.facts', {});
  const measuring = useMeasuring(machine.reload);
  return (
    <Page title="Start" subtitle="What does a trained model still hold of its training data?">
      <Example />
      <Box
        sx={{
          display: 'grid',
          gap: { xs: 3, lg: 6 },
          gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 1fr) 21.25rem' },
          alignItems: 'start',
        }}
      >
        <Box sx={{ minWidth: 0 }}>
          <Section
            title="Recent runs"
            aside={
              <Link href={hrefOf({ page: 'runs' })} variant="body2" underline="hover">
                All runs
              </Link>
            }
          >
            {runs.error && <ErrorNote error={runs.error} />}
            {!runs.data && !runs.error && <Rows count={5} />}
            {runs.data && runs.data.total > 0 && <RunList rows={runs.data.rows} />}
            {runs.data?.total === 0 && (
              <Typography variant="body2" color="textSecondary">
                No runs yet. The example above makes the first one; your own models go under{' '}
                <Link href={hrefOf({ page: 'models' })}>Models</Link>.
              </Typography>
            )}
          </Section>
          <Section title="What can be done here">
            <MethodList />
          </Section>
        </Box>
        <Box sx={{ minWidth: 0 }}>
          <RecentModels />
          <Section title="This machine">
            {machine.error && <ErrorNote error={machine.error} />}
            {!machine.data && !machine.error && <Rows count={4} />}
            {machine.data && <MachineSummary facts={machine.data} measuring={measuring} />}
            {measuring.error && <ErrorNote error={measuring.error} />}
          </Section>
        </Box>
      </Box>
    </Page>
  );
}

/** Every method in a line, to start from. */
function MethodList() {
  return (
    <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0, fontSize: '0.8125rem' }}>
      {catalogue.map(({ id, title, summary }) => (
        <Box component="li" key={id} sx={{ '& + &': { borderTop: 1, borderColor: 'divider' } }}>
          <Link
            href={hrefOf({ page: 'new', methodId: id })}
            underline="none"
            color="textPrimary"
            sx={{ display: 'block', py: 1, px: 1, mx: -1, borderRadius: 1, '&:hover': { bgcolor: 'action.hover' } }}
          >
            <Box sx={{ fontWeight: 550 }}>{title}</Box>
            <Box sx={{ color: 'text.secondary' }}>{summary}</Box>
          </Link>
        </Box>
      ))}
    </Box>
  );
}

const recentModels = 4;

function RecentModels() {
  const { data } = useRequest('models.list', {}, (event) => event.type === 'library');
  const recent = (data ?? [])
    .filter(({ isMissing }) => !isMissing)
    .toSorted((a, b) => (b.lastUsedAtMs ?? 0) - (a.lastUsedAtMs ?? 0))
    .slice(0, recentModels);
  return (
    <Section
      title="Models"
      aside={
        <Link href={hrefOf({ page: 'models' })} variant="body2" underline="hover">
          All models
        </Link>
      }
    >
      <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0, fontSize: '0.8125rem' }}>
        {recent.map(({ path, name, classCount, origin }) => (
          <Box component="li" key={path} sx={{ display: 'flex', gap: 2, py: 0.5 }}>
            <Link href={hrefOf({ page: 'models', path })} underline="hover" sx={{ flex: 1, minWidth: 0 }}>
              {name}
            </Link>
            <Box sx={{ color: 'text.secondary' }}>
              {classCount === null ? (origin === 'bundled' ? 'bundled' : '') : `${classCount} classes`}
            </Box>
          </Box>
        ))}
      </Box>
    </Section>
  );
}

function Example() {
  const bridge = useBridge();
  const mode = useThemeMode();
  const assessment = useRequest('runs.assess', example);
  const { isBusy: isStarting, error, run } = useAction();
  const start = (): void =>
    run(async () => {
      const [runId] = (await bridge.request('runs.start', { requests: [example] })).runIds;
      if (runId !== undefined) goTo({ page: 'run', runId });
    });
  const time = assessment.data?.estimate?.time;
  return (
    <Box
      sx={{
        display: 'grid',
        gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: 'minmax(0, 1fr) auto' },
        alignItems: 'center',
        gap: 4,
        p: 3,
        mb: 4,
        border: 1,
        borderColor: 'divider',
        borderRadius: 1.5,
        bgcolor: tokens[mode].raised,
      }}
    >
      <Box sx={{ minWidth: 0 }}>
        <Typography variant="overline" color="textSecondary">
          Bundled example
        </Typography>
        <Typography sx={{ fontSize: '1.125rem', fontWeight: 600, lineHeight: 1.35, mb: 0.5 }}>
          Distil a student from this teacher, without data
        </Typography>
        <Typography variant="body1" color="textSecondary" sx={{ maxWidth: '38.75rem' }}>
          LeNet-5 knows handwritten digits. From its weights alone, images are made that it answers like real ones, and
          a student of half the size learns from those. The first images appear within seconds.
        </Typography>
        {error && (
          <Box sx={{ mt: 1.5 }}>
            <ErrorNote error={error} />
          </Box>
        )}
        {assessment.data?.complaints.map(({ field, message }) => (
          <Alert key={field} severity="warning" sx={{ mt: 1.5 }}>
            {message}
          </Alert>
        ))}
      </Box>
      <Box sx={{ display: 'flex', flexDirection: 'column', gap: 1, alignItems: 'stretch', minWidth: '11.875rem' }}>
        <Button
          variant="contained"
          size="large"
          startIcon={<Icon name="play" />}
          onClick={start}
          disabled={isStarting}
          sx={{ minHeight: 40 }}
        >
          Start the example
        </Button>
        <Button variant="outlined" href={hrefOf({ page: 'new', methodId: example.methodId, recipe: 'quick' })}>
          Change it first
        </Button>
        <Typography variant="caption" color="textSecondary" sx={{ textAlign: 'center', minHeight: 17 }}>
          {time ? `about ${roughDuration(time.likelyMs)} on this machine` : ''}
        </Typography>
      </Box>
    </Box>
  );
}
