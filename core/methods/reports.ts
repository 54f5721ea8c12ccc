import type { ReportBlock, ReportDocument } from '../report/document.ts';
import { report as arbitraryTransferReport } from './arbitrary-transfer/report.ts';
import { spec as arbitraryTransfer } from './arbitrary-transfer/spec.ts';
import { report as dataImpressionsReport } from './data-impressions/report.ts';
import { spec as dataImpressions } from './data-impressions/spec.ts';
import type { MethodSpec, ReportInput } from './define.ts';
import { report as gradientLeakageReport } from './gradient-leakage/report.ts';
import { spec as gradientLeakage } from './gradient-leakage/spec.ts';
import { report as robustnessReport } from './robustness/report.ts';
import { spec as robustness } from './robustness/spec.ts';
import { report as trainingReport } from './training/report.ts';
import { spec as training } from './training/spec.ts';

/** What a run of a method says to a third person; pure. */
type Report = (input: ReportInput) => ReportDocument;

/** id → report. A method with a report of its own adds one line here; the others get `plainReport`. */
const reports: Readonly<Record<string, Report>> = {
  [dataImpressions.id]: dataImpressionsReport,
  [arbitraryTransfer.id]: arbitraryTransferReport,
  [gradientLeakage.id]: gradientLeakageReport,
  [robustness.id]: robustnessReport,
  [training.id]: trainingReport,
};

/** The document of a run of `spec`. */
export function reportOn(spec: MethodSpec, input: ReportInput): ReportDocument {
  const own = Object.hasOwn(reports, spec.id) ? reports[spec.id] : undefined;
  return own ? own(input) : plainReport(spec, input);
}

/** Every metric and every curve, for a method without a report of its own. */
function plainReport(spec: MethodSpec, input: ReportInput): ReportDocument {
  const shown = Object.entries(spec.metrics).filter(([name]) => input.metrics[name] !== undefined);
  const table: ReportBlock = {
    kind: 'table',
    title: 'Results',
    columns: [{ title: 'Metric' }, { title: 'Value', align: 'right' }, { title: 'Unit' }, { title: 'Measured on' }],
    rows: shown.map(([name, metric]) => [metric.title, input.metrics[name] ?? null, metric.unit, metric.help ?? '']),
  };
  const curves = Object.entries(input.series).map(([name, points]): ReportBlock => {
    const { title, unit } = spec.metrics[name] ?? { title: name, unit: '1' };
    const series = [{ name: title, points: points.map((point) => [point.step, point.value] as const) }];
    return { kind: 'line', title, size: 'half', x: { title: 'Step' }, y: { title, unit }, series };
  });
  const results = { title: 'Results', blocks: [table] };
  return {
    title: spec.title,
    subtitle: spec.summary,
    conclusion: spec.purpose,
    keyFigures: spec.columns.map((name) => ({
      label: spec.metrics[name]?.title ?? name,
      value: input.metrics[name] ?? null,
      unit: spec.metrics[name]?.unit ?? '1',
      ...(spec.metrics[name]?.help === undefined ? {} : { note: spec.metrics[name].help }),
    })),
    sections: curves.length === 0 ? [results] : [results, { title: 'Curves', blocks: curves }],
  };
}
