import type { ReportInput } from '../define.ts';
import type { ReportDocument, ReportSection } from '../../report/document.ts';
import { formatNumber } from '../../report/format.ts';
import { armFigures, evaluationBlocks, EvaluationData, percent } from '../../report/evaluation.ts';

/** What a training run says to a third person. */
export function report(input: ReportInput): ReportDocument {
  const evaluation = EvaluationData.safeParse(input.json('evaluation')).data;
  const model = evaluation?.arms[0];
  const loss = input.series['loss'] ?? [];
  const sections: ReportSection[] = [
    {
      title: 'Training',
      blocks:
        loss.length === 0
          ? []
          : [
              {
                kind: 'line',
                title: 'Training loss',
                x: { title: 'Step' },
                y: { title: 'Mean cross-entropy', unit: 'nat', log: true },
                series: [{ name: 'batch', points: loss.map(({ step, value }) => [step, value] as const) }],
              },
            ],
    },
    { title: 'Test', blocks: evaluation ? evaluationBlocks(evaluation, 'model') : [] },
  ];
  return {
    title: 'Supervised training',
    conclusion: model
      ? `The trained network recognises ${percent(model.accuracy)} of ${formatNumber(evaluation.count)} test images.`
      : 'The network was trained; no test set was given to measure it on.',
    keyFigures: armFigures(evaluation, 'model'),
    sections: sections.filter((section) => section.blocks.length > 0),
  };
}
