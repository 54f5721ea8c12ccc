import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import type { Normalisation } from '../../../core/contract/run.ts';
import { asksForNormalisation, type KnownModel, type ModelInspection } from '../../../core/contract/inspection.ts';
import { formatBytes, formatDuration, formatNumber, shortSha } from '../../../core/report/format.ts';
import { hrefOf } from '../../app/routes.ts';
import { useAction } from '../../bridge/use-action.ts';
import { useBridge, useRequest } from '../../bridge/use-bridge.ts';
import { Icon } from '../../icons/Icon.tsx';
import { CopyButton } from '../CopyButton.tsx';
import { ErrorNote } from '../ErrorNote.tsx';
import { Facts, type Fact } from '../Facts.tsx';
import { Page, Section } from '../Page.tsx';
import { Rows } from '../PageSkeleton.tsx';
import { csvText } from '../save.ts';
import { ModelNotes } from './ModelNotes.tsx';
import { Outline } from './Outline.tsx';
import { Sanity } from './Sanity.tsx';
import type { OutlineBlock } from './stages.ts';
import { Uses } from './Uses.tsx';

interface ModelCardProps {
  readonly path: string;
  readonly known: KnownModel | undefined;
}

/** All that can be said about one model file. */
export function ModelCard({ path, known }: ModelCardProps) {
  const { data, error } = useRequest('models.inspect', { path });
  const name = known?.name ?? path.split(/[/\\]/).at(-1) ?? path;
  return (
    <Page
      title={name}
      subtitle={known?.origin === 'bundled' ? 'Bundled model' : path}
      actions={
        <>
          <Button variant="outlined" startIcon={<Icon name="back" />} href={hrefOf({ page: 'models' })}>
            Models
          </Button>
        </>
      }
    >
      {error && <ErrorNote error={error} />}
      {!data && !error && <Rows count={10} />}
      {data && <Card inspection={data} known={known} path={path} />}
    </Page>
  );
}

function Card({ inspection, known, path }: ModelCardProps & { readonly inspection: ModelInspection }) {
  const { classifier, problems, warnings } = inspection;
  // What the user has said is not asked again.
  const isSaid = known?.normalisation !== undefined && known.normalisation !== null;
  const questions = inspection.questions.filter((question) => !isSaid || !asksForNormalisation(question));
  const bridge = useBridge();
  const { error: chooseError, run } = useAction();
  const choose = (normalisation: Normalisation): void =>
    run(async () => bridge.request('models.annotate', { path, normalisation }));
  return (
    <>
      <Box sx={{ display: 'grid', gap: 1, mb: problems.length + warnings.length + questions.length > 0 ? 3 : 0 }}>
        {problems.map((problem) => (
          <ErrorNote key={problem.message} error={problem} />
        ))}
        {warnings.map(({ code, message }) => (
          <Alert key={code + message} severity="warning">
            {message}
          </Alert>
        ))}
        {questions.map((question) => (
          <Alert key={question} severity="info">
            {question}
          </Alert>
        ))}
      </Box>
      <Box
        sx={{
          display: 'grid',
          gap: { xs: 3, lg: 6 },
          gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: 'repeat(2, minmax(0, 1fr))' },
          alignItems: 'start',
        }}
      >
        <Box>
          <Section title="What it is">
            <Facts facts={identity(inspection)} />
          </Section>
          <Section title="What it expects of pixels">
            <Facts facts={preprocessing(inspection, known)} />
          </Section>
          {classifier && (
            <Section title="Which pre-processing fits?">
              <Sanity path={path} onChoose={choose} />
              {chooseError && <ErrorNote error={chooseError} />}
            </Section>
          )}
          {classifier && (
            <ModelNotes
              path={path}
              known={known}
              classCount={classifier.classCount}
              foundNames={inspection.classNames}
            />
          )}
        </Box>
        <Box>
          <Section title="What can be done with it">
            <Uses path={path} />
          </Section>
          <Section title="What it costs">
            <Facts facts={costs(inspection)} />
          </Section>
          <Section title="Operators">
            <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: '2px 16px', fontSize: '0.8125rem' }}>
              {Object.entries(inspection.operators).map(([op, count]) => (
                <span key={op}>
                  {op} <Box component="span" sx={{ color: 'text.secondary' }}>{`×\u2009${count}`}</Box>
                </span>
              ))}
            </Box>
          </Section>
        </Box>
      </Box>
      {classifier && (
        <Section title="Layers" aside={<CopyButton text={layersCsv(classifier.outline)} title="Copy as CSV" />}>
          <Outline blocks={classifier.outline} />
        </Section>
      )}
    </>
  );
}

const layersCsv = (blocks: readonly OutlineBlock[]): string =>
  csvText([
    ['part', 'layer', 'operators', 'output', 'parameters', 'operations'],
    ...blocks.map(({ stage, name, operators, shape, parameters, flops }) => {
      return [stage, name, operators.join('; '), shape.join(' × '), parameters, flops];
    }),
  ]);

function identity({ file, classifier, inputs, outputs }: ModelInspection): Fact[] {
  const image = classifier?.image;
  const size = image && `${image.channels} × ${image.height} × ${image.width}`;
  return [
    ...(image
      ? [
          {
            label: 'Input',
            value: `${size}, ${image.layout.toUpperCase()}${image.fixedBatch === null ? '' : `, batch of ${image.fixedBatch}`}`,
          },
        ]
      : inputs.map(({ name, dtype, shape }) => ({
          label: `Input ${name}`,
          value: `${dtype} ${shape?.join(' × ') ?? ''}`,
        }))),
    ...(classifier
      ? [
          { label: 'Classes', value: formatNumber(classifier.classCount) },
          {
            label: 'Parameters',
            value: `${formatNumber(classifier.parameters.count)} in ${classifier.parameters.tensors} tensors`,
          },
          {
            label: 'Logits',
            value: `${classifier.logits.name}${classifier.logits.softmaxRemoved ? ', before the final softmax' : ''}`,
          },
          {
            label: 'Batch norm',
            value:
              classifier.batchNorm.present === 0 ? 'none left in the file' : `${classifier.batchNorm.present} layers`,
          },
        ]
      : outputs.map(({ name, dtype, shape }) => ({
          label: `Output ${name}`,
          value: `${dtype} ${shape?.join(' × ') ?? ''}`,
        }))),
    {
      label: 'File',
      value: `${formatBytes(file.sizeBytes)}${file.hasExternalData ? ', weights in other files' : ''}, opset ${file.opset}${file.producer === '' ? '' : `, ${file.producer}`}`,
    },
    {
      label: 'SHA-256',
      value: (
        <Box component="span" sx={{ display: 'flex', alignItems: 'center', gap: 0.5 }}>
          <code>{shortSha(file.sha256)}</code>
          <CopyButton text={file.sha256} title="Copy the whole sum" />
        </Box>
      ),
    },
  ];
}

function preprocessing({ preprocessing: found }: ModelInspection, known: KnownModel | undefined): Fact[] {
  const said = known?.normalisation;
  const rows: readonly (readonly [string, { readonly value: unknown; readonly source: string } | null])[] = [
    ['Mean', found.mean],
    ['Standard deviation', found.std],
    ['Size', found.size],
    ['Interpolation', found.interpolation],
    ['Channel order', found.channelOrder],
  ];
  const facts = rows.flatMap(([label, each]) =>
    each ? [{ label, value: `${[each.value].flat().join(', ')} (${each.source})` }] : [],
  );
  const nothing = { label: 'Normalisation', value: 'nothing found: pixels in [0, 1] go in as they are' };
  // What the user says goes before what was found, in runs too.
  const used = said
    ? [{ label: 'Used in runs', value: `mean ${said.mean.join(', ')}; deviation ${said.std.join(', ')} (you said so)` }]
    : [];
  return [...used, ...(facts.length > 0 ? facts : [nothing])];
}

function costs({ cost, differentiability }: ModelInspection): Fact[] {
  const orders: Fact[] = [
    { label: 'Gradient', value: orderText(differentiability.order1) },
    { label: 'Second order', value: orderText(differentiability.order2) },
  ];
  if (!cost) return orders;
  return [
    { label: 'One image', value: operationsText(cost.forwardFlops) },
    { label: 'Its gradient', value: operationsText(cost.inputGradientFlops) },
    ...(cost.estimate
      ? [
          {
            label: 'Here',
            value: `${shortTime(cost.estimate.forwardMs)} on ${cost.estimate.device}, ${cost.estimate.threads} threads`,
          },
        ]
      : []),
    ...orders,
  ];
}

/** "0.841 MFLOP", "8.2 GFLOP". */
function operationsText(flops: number | null): string {
  if (flops === null) return '–';
  const [unit, size] = flops < 1e9 ? ['MFLOP', 1e6] : ['GFLOP', 1e9];
  return `${formatNumber(Number((flops / size).toPrecision(3)))} ${unit}`;
}

/** Durations of less than a millisecond keep two digits. */
const shortTime = (ms: number): string => (ms < 1 ? `${Number(ms.toPrecision(2))} ms` : formatDuration(ms));

function orderText({ isPossible, missing, reason }: ModelInspection['differentiability']['order1']): string {
  if (isPossible) return 'can be taken';
  const nodes = missing.map(({ op, node }) => `${op} (${node})`).join(', ');
  return `cannot be taken: ${reason ?? nodes}`;
}
