import type { ReportBlock, ReportSection, ScatterPoint } from '../../report/document.ts';
import { formatNumber } from '../../report/format.ts';
import type { DefenceFigures, TradeoffData } from './report-data.ts';

/** What each defence leaves to an attacker, and what it costs in accuracy. */
export function defenceSection(figures: readonly DefenceFigures[], tradeoff: TradeoffData | undefined): ReportSection {
  const scored = figures.filter(({ success }) => success !== null);
  return {
    title: 'Defences',
    blocks: [
      ...(scored.length > 1 ? [leakageTable(scored)] : []),
      ...(tradeoff ? [...tradeoffCharts(figures, tradeoff), tradeoffTable(figures, tradeoff)] : []),
    ],
  };
}

const intervalColumns = [
  { title: '95 % from', unit: 'fraction', digits: 1 },
  { title: 'to', unit: 'fraction', digits: 1 },
] as const;
const endsOf = (interval: readonly [number, number] | undefined): readonly (number | null)[] =>
  interval ?? [null, null];

function leakageTable(scored: readonly DefenceFigures[]): ReportBlock {
  return {
    kind: 'table',
    title: 'Leakage under each defence',
    columns: [
      { title: 'Defence' },
      { title: 'Noise variance' },
      { title: 'Recovered', unit: 'fraction', digits: 0 },
      ...intervalColumns,
      { title: 'Labels', unit: 'fraction', digits: 0 },
      { title: 'Identified', unit: 'fraction', digits: 0 },
      { title: 'SSIM', digits: 3 },
      { title: 'PSNR', unit: 'dB', digits: 1 },
    ],
    rows: scored.map((row) => [
      row.title,
      row.noise === 0 ? null : row.noise,
      row.success?.share ?? null,
      ...endsOf(row.success?.interval),
      row.labelAccuracy,
      row.identified,
      row.ssim,
      row.psnrDb,
    ]),
    note: 'Of each run the attack that came closer counts: the plain one, or that of somebody who knows the defence.',
  };
}

type Leak = (figures: DefenceFigures) => { readonly y: number | null; readonly interval?: readonly [number, number] };

/** Accuracy against leakage: what lies at the lower right costs little and buys much. */
function tradeoffCharts(figures: readonly DefenceFigures[], tradeoff: TradeoffData): readonly ReportBlock[] {
  const x = { title: `Accuracy after ${tradeoff.steps} steps`, unit: 'fraction', min: 0, max: 1 };
  const chart = (title: string, axis: string, leak: Leak, size: 'full' | 'half', note: string): ReportBlock[] => {
    const points = tradeoff.rows.flatMap((row): ScatterPoint[] => {
      const own = figures.find((each) => each.title === row.defence);
      const { y = null, interval } = own ? leak(own) : {};
      if (y === null) return [];
      const detail = privacyText(row.epsilon, tradeoff.delta);
      return [
        {
          label: row.defence === 'none' ? 'no defence' : row.defence,
          ...(detail === undefined ? {} : { detail }),
          x: row.accuracy,
          y,
          xInterval: row.interval,
          ...(interval ? { yInterval: interval } : {}),
        },
      ];
    });
    if (points.length === 0) return [];
    const y = { title: axis, unit: 'fraction', min: 0, max: 1 };
    return [{ kind: 'scatter', title, size, x, y, series: [{ name: axis, points }], note }];
  };
  const recovered: Leak = ({ success }) => ({
    y: success?.share ?? null,
    ...(success ? { interval: success.interval } : {}),
  });
  return [
    ...chart(
      'What a defence costs and buys',
      'Images recovered',
      recovered,
      'full',
      `Right is accurate, low is private. Wilson intervals, 95 %: of ${tradeoff.testedOn} test images, and of the images attacked.`,
    ),
    ...chart(
      'The same for identification',
      'Identified',
      ({ identified }) => ({ y: identified }),
      'half',
      'Share of reconstructions whose nearest gallery image of the label is the true one.',
    ),
    ...chart(
      'The same for labels',
      'Labels recovered',
      ({ labelAccuracy }) => ({ y: labelAccuracy }),
      'half',
      'Overlap of the labels that the attack used with the true ones.',
    ),
  ];
}

const privacyText = (epsilon: number | null, delta: number): string | undefined =>
  epsilon === null ? undefined : `ε = ${epsilon.toFixed(epsilon < 10 ? 2 : 1)}, δ = ${formatNumber(delta)}`;

function tradeoffTable(figures: readonly DefenceFigures[], tradeoff: TradeoffData): ReportBlock {
  return {
    kind: 'table',
    title: 'Accuracy after defended training, and what it still gives away',
    columns: [
      { title: 'Defence' },
      { title: 'Accuracy', unit: 'fraction' },
      ...intervalColumns,
      { title: 'Training loss', unit: 'nat', digits: 3 },
      { title: 'ε' },
      { title: 'δ' },
      { title: 'Recovered', unit: 'fraction', digits: 0 },
      { title: 'Identified', unit: 'fraction', digits: 0 },
      { title: 'Labels', unit: 'fraction', digits: 0 },
      { title: 'SSIM', digits: 3 },
    ],
    rows: tradeoff.rows.map(({ defence, accuracy, interval, loss, epsilon }) => {
      const own = figures.find(({ title }) => title === defence);
      const leaked = [own?.success?.share, own?.identified, own?.labelAccuracy, own?.ssim].map(
        (value) => value ?? null,
      );
      return [
        defence,
        accuracy,
        ...endsOf(interval),
        loss,
        epsilon,
        epsilon === null ? null : tradeoff.delta,
        ...leaked,
      ];
    }),
    note: `${tradeoff.steps} steps of SGD with batches of ${tradeoff.batchSize} from ${tradeoff.trainedOn}, each gradient defended as it would be shared; tested on ${tradeoff.testedOn} images. ε and δ of DP-SGD over all these steps by Rényi accounting, as if batches were drawn by Poisson sampling; a defence without them gives no such promise.`,
  };
}
