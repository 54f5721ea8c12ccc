import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Link from '@mui/material/Link';
import TextField from '@mui/material/TextField';
import ToggleButton from '@mui/material/ToggleButton';
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup';
import { useState } from 'react';
import { z } from 'zod';
import type { DataCard } from '../../core/contract/data-card.ts';
import { splits } from '../../core/contract/run.ts';
import { formatNumber, shortSha } from '../../core/report/format.ts';
import { hrefOf } from '../app/routes.ts';
import { goTo } from '../app/use-route.ts';
import { useRequest } from '../bridge/use-bridge.ts';
import { ClassHistogram } from '../charts/ClassHistogram.tsx';
import { Icon } from '../icons/Icon.tsx';
import { DropZone } from '../panels/DropZone.tsx';
import { Empty } from '../panels/Empty.tsx';
import { ErrorNote } from '../panels/ErrorNote.tsx';
import { Facts } from '../panels/Facts.tsx';
import { Page, Section } from '../panels/Page.tsx';
import { Rows } from '../panels/PageSkeleton.tsx';
import { humanise } from '../panels/run-text.ts';

/** Of pictures whose sizes differ. */
const OfManySizes = z.object({ canBeResized: z.literal(true) });

/** Data sets that this workspace has met, and the card of one of them. */
export function DataPage({ path }: { readonly path: string | undefined }) {
  const sets = useRequest('data.list', {}, (event) => event.type === 'library');
  if (path !== undefined) return <DataSet path={path} />;
  return (
    <Page title="Data" subtitle="Labelled images for measuring and for comparison. Reading out a model needs none.">
      <DropZone
        kind="data"
        title="Drop a data set here"
        note="IDX, a folder of images by class, .npz, .npy, CIFAR binary, or CSV with path and label."
        onPath={(found) => goTo({ page: 'data', path: found })}
      />
      <Section title="Known data sets">
        {sets.error && <ErrorNote error={sets.error} />}
        {!sets.data && !sets.error && <Rows count={3} />}
        {sets.data?.length === 0 && (
          <Empty title="None yet">A data set that a run uses, or that you open here, is listed.</Empty>
        )}
        <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0, fontSize: '0.8125rem' }}>
          {sets.data?.map(({ path: each, name, format, count, classCount, shape, isMissing }) => (
            <Box component="li" key={each} sx={{ '& + &': { borderTop: 1, borderColor: 'divider' } }}>
              <Link
                href={hrefOf({ page: 'data', path: each })}
                underline="none"
                color="textPrimary"
                sx={{
                  display: 'flex',
                  gap: 3,
                  py: 1,
                  px: 1,
                  mx: -1,
                  borderRadius: 1,
                  '&:hover': { bgcolor: 'action.hover' },
                }}
              >
                <Box sx={{ flex: 1, fontWeight: 550 }}>{name}</Box>
                <Box sx={{ color: isMissing ? 'warning.main' : 'text.secondary' }}>
                  {isMissing
                    ? 'gone from its place'
                    : `${format}, ${formatNumber(count)} items of ${shape.join(' × ')}${classCount === null ? '' : `, ${classCount} classes`}`}
                </Box>
              </Link>
            </Box>
          ))}
        </Box>
      </Section>
    </Page>
  );
}

function DataSet({ path }: { readonly path: string }) {
  const [split, setSplit] = useState<DataCard['split']>('all');
  const [size, setSize] = useState('');
  const [asked, setAsked] = useState<[number, number] | undefined>(undefined);
  const { data, error, isLoading } = useRequest('data.inspect', {
    path,
    format: 'auto',
    split,
    ...(asked ? { resizeTo: asked } : {}),
  });
  const wanted = sizeOf(size);
  return (
    <Page
      title={data?.title ?? path.split(/[/\\]/).at(-1) ?? path}
      subtitle={path}
      actions={
        <>
          <ToggleButtonGroup
            exclusive
            size="small"
            value={split}
            aria-label="Split"
            onChange={(_, next: DataCard['split'] | null) => next && setSplit(next)}
          >
            {splits.map((each) => (
              <ToggleButton key={each} value={each}>
                {humanise(each)}
              </ToggleButton>
            ))}
          </ToggleButtonGroup>
          <Button variant="outlined" startIcon={<Icon name="back" />} href={hrefOf({ page: 'data' })}>
            Data
          </Button>
        </>
      }
    >
      {error && <ErrorNote error={error} />}
      {OfManySizes.safeParse(error?.details).success && (
        <Box
          component="form"
          onSubmit={(event) => {
            event.preventDefault();
            setAsked(wanted);
          }}
          sx={{ display: 'flex', gap: 1, alignItems: 'center', mt: 2, fontSize: '0.8125rem' }}
        >
          <TextField
            label="Show at, height × width"
            placeholder="28 × 28"
            value={size}
            onChange={({ target }) => setSize(target.value)}
            slotProps={{ inputLabel: { shrink: true } }}
          />
          <Button type="submit" variant="outlined" disabled={!wanted}>
            Resize
          </Button>
          <Box sx={{ color: 'text.secondary' }}>Runs resize pictures to what their model takes by themselves.</Box>
        </Box>
      )}
      {!data && isLoading && <Rows count={8} />}
      {data && <Card card={data} />}
    </Page>
  );
}

/** "28 × 32" → [28, 32]; undefined for anything else. */
function sizeOf(text: string): [number, number] | undefined {
  const [, height, width] = /^\s*(\d{1,4})\s*[x×,* ]\s*(\d{1,4})\s*$/.exec(text) ?? [];
  const size: [number, number] = [Number(height), Number(width)];
  return size.every((each) => each > 0) ? size : undefined;
}

function Card({ card }: { readonly card: DataCard }) {
  const { count, shape, classes, format, fingerprint, samples } = card;
  return (
    <Box
      sx={{
        display: 'grid',
        gap: { xs: 3, lg: 6 },
        gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: '20rem minmax(0, 1fr)' },
        alignItems: 'start',
      }}
    >
      <Box>
        <Section title="What it is">
          <Facts
            labelWidth={92}
            facts={[
              { label: 'Format', value: format },
              { label: 'Items', value: formatNumber(count) },
              { label: 'Shape', value: shape.join(' × ') },
              { label: 'Classes', value: classes ? formatNumber(classes.length) : 'no labels' },
              { label: 'Fingerprint', value: <code>{shortSha(fingerprint)}</code> },
            ]}
          />
        </Section>
        {classes && <ClassHistogram classes={classes} of={card.title} />}
      </Box>
      <Section title={`${samples.length} of its items`}>
        <Box sx={{ display: 'grid', gap: 0.75, gridTemplateColumns: 'repeat(auto-fill, minmax(56px, 1fr))' }}>
          {samples.map(({ index, label, png }) => (
            <Box
              key={index}
              component="img"
              src={png}
              alt={`Item ${index}${label === null ? '' : `, ${classes?.find((each) => each.label === label)?.name ?? `class ${label}`}`}`}
              title={`Item ${index}${label === null ? '' : `, class ${label}`}`}
              sx={{ width: '100%', imageRendering: 'pixelated', display: 'block' }}
            />
          ))}
        </Box>
      </Section>
    </Box>
  );
}
