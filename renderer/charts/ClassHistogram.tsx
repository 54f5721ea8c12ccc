import Box from '@mui/material/Box';
import { formatFraction, formatNumber } from '../../core/report/format.ts';
import { useAction } from '../bridge/use-action.ts';
import { ErrorNote } from '../panels/ErrorNote.tsx';
import { Section } from '../panels/Page.tsx';
import { csvText, saveDrawing, saveText } from '../panels/save.ts';
import { SaveMenu } from './SaveMenu.tsx';

interface ClassHistogramProps {
  readonly classes: readonly { readonly label: number; readonly name: string | null; readonly count: number }[];
  /** Of what, for the names of files. */
  readonly of: string;
}

const title = 'Items of each class';

/** Bars and their numbers in one table: how many items there are of each class. */
export function ClassHistogram({ classes, of }: ClassHistogramProps) {
  const { error, run } = useAction();
  const most = Math.max(1, ...classes.map(({ count }) => count));
  const total = classes.reduce((sum, { count }) => sum + count, 0);
  const fileName = `${of}-classes`;
  const drawn = async (): Promise<string> => {
    const { barsSvg } = await import('./svg.ts');
    return barsSvg({
      title,
      yTitle: 'items',
      categories: classes.map(({ name, label }) => name ?? String(label)),
      values: classes.map(({ count }) => count),
    });
  };
  const saveCsv = (): void => {
    const rows = classes.map(({ label, name, count }) => [label, name, count] as const);
    saveText(`${fileName}.csv`, csvText([['label', 'name', 'items'], ...rows]), 'text/csv');
  };
  const savePng = (): void => run(async () => saveDrawing(`${fileName}.png`, await drawn()));
  const saveSvg = (): void => run(async () => saveText(`${fileName}.svg`, await drawn(), 'image/svg+xml'));
  return (
    <Section
      title={title}
      aside={
        <SaveMenu
          title={title}
          choices={[
            ['CSV', saveCsv],
            ['PNG', savePng],
            ['SVG, for print', saveSvg],
          ]}
        />
      }
    >
      {error && <ErrorNote error={error} />}
      <Box
        tabIndex={0}
        role="region"
        aria-label={title}
        sx={{ maxHeight: 480, overflowY: 'auto', fontSize: '0.8125rem' }}
      >
        <Box component="table" sx={{ width: '100%', borderSpacing: 0, '& td, & th': { p: 0, py: 0.25 } }}>
          <tbody>
            {classes.map(({ label, name, count }) => (
              <tr key={label}>
                <Box
                  component="th"
                  scope="row"
                  title={name ?? String(label)}
                  sx={{
                    fontWeight: 400,
                    textAlign: 'left',
                    maxWidth: 120,
                    overflow: 'hidden',
                    textOverflow: 'ellipsis',
                    whiteSpace: 'nowrap',
                  }}
                >
                  {name ?? label}
                </Box>
                <Box component="td" aria-hidden sx={{ width: '60%', px: '12px !important' }}>
                  <Box
                    sx={{
                      height: 8,
                      width: `${(100 * count) / most}%`,
                      bgcolor: 'primary.main',
                      borderRadius: 0.5,
                    }}
                  />
                </Box>
                <Box component="td" className="figures" sx={{ textAlign: 'right', whiteSpace: 'nowrap' }}>
                  {formatNumber(count)}
                </Box>
                <Box
                  component="td"
                  className="figures"
                  sx={{ textAlign: 'right', whiteSpace: 'nowrap', color: 'text.secondary', pl: '12px !important' }}
                >
                  {formatFraction(total === 0 ? 0 : count / total, 1)}
                </Box>
              </tr>
            ))}
          </tbody>
        </Box>
      </Box>
    </Section>
  );
}
