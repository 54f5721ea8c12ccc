import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Table from '@mui/material/Table';
import TableBody from '@mui/material/TableBody';
import TableCell from '@mui/material/TableCell';
import TableHead from '@mui/material/TableHead';
import TableRow from '@mui/material/TableRow';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import type { Normalisation } from '../../../core/contract/run.ts';
import type { SanityReading } from '../../../core/contract/sanity.ts';
import { formatFraction, formatNumber } from '../../../core/report/format.ts';
import { useAction } from '../../bridge/use-action.ts';
import { useBridge, useRequest } from '../../bridge/use-bridge.ts';
import { ChoiceOfPath } from '../ChoiceOfPath.tsx';
import { ErrorNote } from '../ErrorNote.tsx';
import { Rows } from '../PageSkeleton.tsx';

interface SanityProps {
  readonly path: string;
  readonly onChoose: (normalisation: Normalisation) => void;
}

/** Which pre-processing was the model made for? The one under which it knows a few labelled images. */
export function Sanity({ path, onChoose }: SanityProps) {
  const bridge = useBridge();
  const sets = useRequest('data.list', {}, (event) => event.type === 'library');
  const [data, setData] = useState('');
  const [reading, setReading] = useState<SanityReading | undefined>(undefined);
  const { isBusy: isMeasuring, error, run } = useAction();
  const measure = (): void =>
    run(async () => setReading(await bridge.request('models.sanity', { path, data: { path: data } })));
  return (
    <>
      <Box sx={{ display: 'grid', gridTemplateColumns: 'minmax(0, 1fr) auto', gap: 1, alignItems: 'start' }}>
        <ChoiceOfPath
          kind="data"
          label="Labelled images"
          help="A few dozen are enough. The model is tried on them under each pre-processing that is usual."
          value={data}
          options={(sets.data ?? []).map((set) => ({ value: set.path, title: set.name, note: set.format }))}
          problem={undefined}
          onChange={setData}
        />
        <Button variant="outlined" onClick={measure} disabled={data === '' || isMeasuring} sx={{ mt: 2.75 }}>
          {isMeasuring ? 'Trying …' : 'Try'}
        </Button>
      </Box>
      {error && <ErrorNote error={error} />}
      {isMeasuring && <Rows count={4} />}
      {reading && !isMeasuring && <Meter reading={reading} onChoose={onChoose} />}
    </>
  );
}

function Meter({ reading, onChoose }: { readonly reading: SanityReading } & Pick<SanityProps, 'onChoose'>) {
  const { readings, count, chance } = reading;
  const best = readings[0]?.accuracy ?? 0;
  return (
    <>
      <Table size="small" sx={{ mt: 1.5, '& td, & thead th': { whiteSpace: 'nowrap' } }}>
        <TableHead>
          <TableRow>
            <TableCell>Pre-processing</TableCell>
            <TableCell align="right">Accuracy</TableCell>
            <TableCell sx={{ width: 72 }} />
            <TableCell align="right">Confidence</TableCell>
            <TableCell />
          </TableRow>
        </TableHead>
        <TableBody>
          {readings.map(({ title, normalisation, accuracy, interval, confidence }) => (
            <TableRow key={title} sx={accuracy === best ? { '& td, & th': { fontWeight: 600 } } : {}}>
              <TableCell
                component="th"
                scope="row"
                title={`mean ${normalisation.mean.join(', ')}; deviation ${normalisation.std.map((each) => formatNumber(each)).join(', ')}`}
              >
                {title}
              </TableCell>
              <TableCell
                align="right"
                title={`95 % interval: ${interval.map((each) => formatFraction(each, 1)).join(' to ')}`}
              >
                {formatFraction(accuracy, 1)}
              </TableCell>
              <TableCell aria-hidden>
                <Box sx={{ position: 'relative', height: 8, mt: 0.75, bgcolor: 'action.hover', borderRadius: 0.5 }}>
                  <Box
                    sx={{
                      height: 8,
                      width: `${100 * accuracy}%`,
                      bgcolor: accuracy === best ? 'primary.main' : 'text.secondary',
                      borderRadius: 0.5,
                    }}
                  />
                  <Box
                    sx={{
                      position: 'absolute',
                      left: `${100 * chance}%`,
                      top: -2,
                      height: 12,
                      width: '1px',
                      bgcolor: 'text.primary',
                    }}
                  />
                </Box>
              </TableCell>
              <TableCell align="right">{formatFraction(confidence, 0)}</TableCell>
              <TableCell align="right" sx={{ pr: 0 }}>
                <Button onClick={() => onChoose(normalisation)} aria-label={`Use: ${title}`} sx={{ my: -0.5 }}>
                  Use
                </Button>
              </TableCell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
      <Typography variant="caption" color="textSecondary" component="p" sx={{ mb: 0 }}>
        On {count} images; the line marks guessing ({formatFraction(chance, 1)}). When none stands out, the classes may
        be numbered otherwise than the model’s.
      </Typography>
    </>
  );
}
