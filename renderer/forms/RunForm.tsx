import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useEffect, useMemo, useState } from 'react';
import { toWorkbenchError, type WorkbenchError } from '../../core/base/errors.ts';
import type { DraftRequest } from '../../core/contract/bridge.ts';
import type { MethodSpec } from '../../core/methods/define.ts';
import { paramFields } from '../../core/methods/parameters.ts';
import { goTo } from '../app/use-route.ts';
import { useBridge, useRequest } from '../bridge/use-bridge.ts';
import { Icon } from '../icons/Icon.tsx';
import { CopyButton } from '../panels/CopyButton.tsx';
import { ErrorNote } from '../panels/ErrorNote.tsx';
import { EstimateFacts } from '../panels/EstimateFacts.tsx';
import { Page, Section } from '../panels/Page.tsx';
import { Rows } from '../panels/PageSkeleton.tsx';
import { changedParams, readDraft, withRecipe, type Draft } from './form-model.ts';
import { ParamFields } from './ParamFields.tsx';
import { RecipeChoice } from './RecipeChoice.tsx';
import { Subjects } from './Subjects.tsx';
import { Surroundings } from './Surroundings.tsx';

interface RunFormProps {
  readonly spec: MethodSpec;
  readonly initial: Draft;
  readonly from?: string;
}

const pauseMs = 350;
/** Complaints of the host about what the form already says itself would be said twice. */
const fieldOf = (field: string): string => field.replace(/^params\./, '');

/** The whole form of one run, drawn from the method's declaration. */
export function RunForm({ spec, initial, from }: RunFormProps) {
  const bridge = useBridge();
  const architectures = useRequest('models.architectures', {});
  const [draft, setDraft] = useState(initial);
  const [isStarting, setStarting] = useState(false);
  const [error, setError] = useState<WorkbenchError | undefined>(undefined);
  const read = useMemo(() => readDraft(spec, draft, architectures.data ?? []), [spec, draft, architectures.data]);
  const asked = usePaused(architectures.data ? read.request : null);
  const assessment = useRequest('runs.assess', asked);
  const complaints = (assessment.data?.complaints ?? []).map((each) => ({ ...each, field: fieldOf(each.field) }));
  const problems: Record<string, string> = {
    ...Object.fromEntries(complaints.map(({ field, message, hint }) => [field, hint ? `${message} ${hint}` : message])),
    ...read.problems,
  };
  const fields = useMemo(() => paramFields(spec), [spec]);
  const known = new Set([
    ...fields.map(({ name }) => name),
    ...Object.keys(spec.models).map((role) => `models.${role}`),
    ...Object.keys(spec.data).map((role) => `data.${role}`),
    'threads',
  ]);
  const changed = changedParams(spec, draft);
  const isWrong = Object.keys(read.problems).length > 0 || complaints.length > 0;
  const setText = (name: string, text: string): void => setDraft({ ...draft, texts: { ...draft.texts, [name]: text } });

  const start = (): void => {
    setStarting(true);
    setError(undefined);
    bridge.request('runs.start', { requests: [read.request] }).then(
      ({ runIds: [runId] }) => runId !== undefined && goTo({ page: 'run', runId }),
      (thrown: unknown) => {
        setError(toWorkbenchError(thrown));
        setStarting(false);
      },
    );
  };

  return (
    <Page title={spec.title} subtitle={from === undefined ? spec.summary : `Again as ${from}, with changes`}>
      <Box
        component="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!isWrong && !isStarting) start();
        }}
        sx={{
          display: 'grid',
          gap: { xs: 3, lg: 6 },
          gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: 'minmax(0, 1fr) 272px', lg: 'minmax(0, 1fr) 320px' },
          alignItems: 'start',
        }}
      >
        <Box sx={{ minWidth: 0 }}>
          <Section title={Object.keys(spec.data).length > 0 ? 'Models and data' : 'Models'}>
            <Subjects
              spec={spec}
              draft={draft}
              problems={problems}
              architectures={architectures.data ?? []}
              onChange={setDraft}
            />
          </Section>
          {Object.keys(spec.recipes).length > 0 && (
            <Section title="Recipe">
              <RecipeChoice
                spec={spec}
                recipe={draft.recipe}
                onChange={(recipe) => setDraft(withRecipe(spec, draft, recipe))}
              />
            </Section>
          )}
          <Section
            title="Parameters"
            aside={
              changed.size > 0 && (
                <Button onClick={() => setDraft(withRecipe(spec, draft, draft.recipe))}>
                  Undo {changed.size} {changed.size === 1 ? 'change' : 'changes'}
                </Button>
              )
            }
          >
            <ParamFields
              fields={fields}
              texts={draft.texts}
              changed={changed}
              problems={problems}
              recipe={draft.recipe === undefined ? undefined : spec.recipes[draft.recipe]?.params}
              onChange={setText}
            />
          </Section>
          <Section title="Machine">
            <Surroundings draft={draft} problem={problems['threads']} onChange={setDraft} />
          </Section>
        </Box>
        <Box sx={{ position: 'sticky', top: 24, minWidth: 0 }}>
          <Section title="What it costs">
            {assessment.error && <ErrorNote error={assessment.error} />}
            {assessment.data?.estimate ? (
              <Box sx={{ opacity: assessment.isLoading ? 0.5 : 1 }}>
                <EstimateFacts estimate={assessment.data.estimate} />
              </Box>
            ) : isWrong ? (
              <Typography variant="body2" color="textSecondary">
                Said when the form is complete.
              </Typography>
            ) : assessment.data ? (
              <Typography variant="body2" color="textSecondary">
                Nothing can be said yet: no run with these parameters was made here.
              </Typography>
            ) : (
              !assessment.error && <Rows count={3} />
            )}
          </Section>
          <Section title="What it is for">
            <Typography variant="body2" color="textSecondary">
              {spec.purpose}
            </Typography>
          </Section>
          {complaints
            .filter(({ field }) => !known.has(field))
            .map(({ field, message, hint }) => (
              <Alert key={field} severity="warning" sx={{ mb: 1.5 }}>
                {message} {hint}
              </Alert>
            ))}
          {error && (
            <Box sx={{ mb: 1.5 }}>
              <ErrorNote error={error} />
            </Box>
          )}
          {isWrong && (
            <Typography variant="body2" color="error" sx={{ mb: 1.5 }} role="status">
              {countOf(Object.keys(problems).length)} to be filled in or mended.
            </Typography>
          )}
          <Box sx={{ display: 'flex', gap: 1, flexWrap: 'wrap' }}>
            <Button
              type="submit"
              variant="contained"
              size="large"
              startIcon={<Icon name="play" />}
              disabled={isWrong || isStarting || assessment.data === undefined}
              sx={{ minHeight: 38, flex: 1 }}
            >
              Start
            </Button>
            {assessment.data?.command && (
              <CopyButton isWide text={assessment.data.command} title="Copy as command line" />
            )}
          </Box>
        </Box>
      </Box>
    </Page>
  );
}

const countOf = (n: number): string => (n === 1 ? 'One field has' : `${n} fields have`);

/** The request once the typing has paused. */
function usePaused(request: DraftRequest | null): DraftRequest | null {
  const key = JSON.stringify(request);
  const [paused, setPaused] = useState<DraftRequest | null>(null);
  useEffect(() => {
    const parsed = request;
    const timer = setTimeout(() => setPaused(parsed), paused === null ? 0 : pauseMs);
    return () => clearTimeout(timer);
    // By value: an equal request is the same.
  }, [key]);
  return paused;
}
