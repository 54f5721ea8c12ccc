import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import { useEffect, useMemo, useState } from 'react';
import { WorkbenchError } from '../../core/base/errors.ts';
import type { DraftRequest } from '../../core/contract/bridge.ts';
import type { MethodSpec } from '../../core/methods/define.ts';
import { paramFields } from '../../core/methods/parameters.ts';
import { goTo } from '../app/use-route.ts';
import { useAction } from '../bridge/use-action.ts';
import { useBridge, useRequest } from '../bridge/use-bridge.ts';
import { Page, Section } from '../panels/Page.tsx';
import { changedParams, withRecipe, type Draft } from './form-model.ts';
import { ParamFields } from './ParamFields.tsx';
import { PreflightCard } from './PreflightCard.tsx';
import { RecipeChoice } from './RecipeChoice.tsx';
import { StartPanel } from './StartPanel.tsx';
import { Subjects } from './Subjects.tsx';
import { Surroundings } from './Surroundings.tsx';
import { readSweep, withVaried } from './sweep.ts';
import { ThreatCard } from './ThreatCard.tsx';

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
  const [isTried, setTried] = useState(false);
  const { isBusy: isStarting, error, run } = useAction();
  const read = useMemo(() => readSweep(spec, draft, architectures.data ?? []), [spec, draft, architectures.data]);
  const asked = usePaused(architectures.data ? read.requests : null);
  const assessment = useRequest('runs.assess', asked?.[0] ?? null);
  const isGroup = asked !== null && asked.length > 1;
  const group = useRequest('runs.assessGroup', isGroup ? { requests: [...asked] } : null);
  const complaints = [...(assessment.data?.complaints ?? []), ...((isGroup && group.data?.complaints) || [])]
    .map((each) => ({ ...each, field: fieldOf(each.field) }))
    .filter(({ field }, at, all) => all.findIndex((each) => each.field === field) === at);
  const wrong: Record<string, string> = {
    ...Object.fromEntries(complaints.map(({ field, message, hint }) => [field, hint ? `${message} ${hint}` : message])),
    ...read.problems,
  };
  const fields = useMemo(() => paramFields(spec), [spec]);
  const known = new Set([
    ...fields.map(({ name }) => name),
    ...Object.keys(spec.models).flatMap((role) =>
      ['', '.mean', '.std', '.dims', '.classes'].map((part) => `models.${role}${part}`),
    ),
    ...Object.keys(spec.data).flatMap((role) => [`data.${role}`, `data.${role}.limit`]),
    'threads',
  ]);
  const changed = changedParams(spec, draft);
  // What nobody has come to yet is no mistake.
  const isUntouched = (field: string): boolean =>
    !isTried &&
    read.missing.includes(field) &&
    JSON.stringify(givenFor(draft, field)) === JSON.stringify(givenFor(initial, field));
  const problems = Object.fromEntries(Object.entries(wrong).filter(([field]) => !isUntouched(field)));
  const isWrong = Object.keys(wrong).length > 0;
  const setText = (name: string, text: string): void => setDraft({ ...draft, texts: { ...draft.texts, [name]: text } });

  const start = (): void =>
    run(async () => {
      const { runIds, groupId } = await bridge.request('runs.start', { requests: [...read.requests] });
      const [runId] = runIds;
      if (groupId !== null) goTo({ page: 'runs', groupId });
      else if (runId !== undefined) goTo({ page: 'run', runId });
    });

  const makeCommand = async (): Promise<string> => {
    const [first] = read.requests;
    if (!first) throw new WorkbenchError('PARAM_INVALID', 'The form is not complete');
    const { command } =
      read.requests.length > 1
        ? await bridge.request('runs.assessGroup', { requests: [...read.requests] })
        : await bridge.request('runs.assess', first);
    if (command === null) throw new WorkbenchError('PARAM_INVALID', 'The form is not complete');
    return command;
  };

  return (
    <Page title={spec.title} subtitle={from === undefined ? spec.summary : `Again as ${from}, with changes`}>
      <Box
        component="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (!isWrong && !isStarting) start();
        }}
        sx={{
          display: 'grid',
          gap: { xs: 3, lg: 6 },
          gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: 'minmax(0, 1fr) 17rem', lg: 'minmax(0, 1fr) 20rem' },
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
              vary={draft.vary}
              changed={changed}
              problems={problems}
              recipe={draft.recipe === undefined ? undefined : spec.recipes[draft.recipe]?.params}
              onChange={setText}
              onVary={(name, text) => setDraft(withVaried(draft, name, text))}
            />
          </Section>
          <Section title="Machine">
            <Surroundings draft={draft} problem={problems['threads']} onChange={setDraft} />
          </Section>
        </Box>
        <Box sx={{ position: 'sticky', top: 24, minWidth: 0 }}>
          <StartPanel
            assessment={
              isGroup
                ? {
                    ...assessment,
                    reload() {
                      assessment.reload();
                      group.reload();
                    },
                    data: assessment.data && {
                      ...assessment.data,
                      estimate: group.data?.estimate ?? null,
                      command: group.data?.command ?? null,
                    },
                  }
                : assessment
            }
            isWaiting={isGroup && group.isLoading}
            count={read.requests.length}
            wrong={Object.keys(problems).length}
            missing={Object.keys(wrong).length - Object.keys(problems).length}
            others={complaints.filter(({ field }) => !known.has(field))}
            error={error}
            isStarting={isStarting}
            makeCommand={makeCommand}
          />
          {spec.lookAhead && (
            <PreflightCard
              help={spec.lookAhead.help}
              request={isWrong || architectures.data === undefined ? undefined : read.requests[0]}
              count={read.requests.length}
            />
          )}
          <ThreatCard spec={spec} />
        </Box>
      </Box>
    </Page>
  );
}

/** What was chosen for a field that may be missing. */
function givenFor({ texts, models, data }: Draft, field: string): unknown {
  const [kind, role = ''] = field.split('.');
  return kind === 'models' ? models[role] : kind === 'data' ? data[role] : texts[field];
}

type Requests = readonly DraftRequest[];

/** The requests once the typing has paused. */
function usePaused(requests: Requests | null): Requests | null {
  const key = JSON.stringify(requests);
  const [paused, setPaused] = useState<Requests | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(requests), paused === null ? 0 : pauseMs);
    return () => clearTimeout(timer);
    // By value: an equal request is the same.
  }, [key]);
  return paused;
}
