import { labelOverlap, labelRules, recoverLabels, type LabelRule } from '../../leakage/labels.ts';
import { labelEvidence } from '../../leakage/labels-evidence.ts';
import type { Victim } from '../../leakage/victim.ts';
import { batchItems, dummyImages, take, type Inputs, type Params } from './inputs.ts';
import type { LabelTableData } from './report-data.ts';
import { weightsOf, type Sharing } from './sharing.ts';

type Row = LabelTableData['rows'][number];

/** A network that labels are read from; `of` may give another one for each batch. */
export interface LabelNetwork {
  readonly title: string;
  of(batch: number): Victim;
}

const kinds = [
  ['random', 'as they come'],
  ['distinct', 'distinct'],
  ['repeated', 'one class'],
] as const;

/** Rows of the label table: networks × batch sizes × kinds of batch. A batch of one has one kind. */
export function labelCases(
  { labelBatchSizes }: Params,
  classes: number,
): readonly { readonly size: number; readonly kind: (typeof kinds)[number] }[] {
  return [...new Set(labelBatchSizes)].flatMap((size) =>
    kinds
      .filter(([choice]) => (choice === 'random' || size > 1) && (choice !== 'distinct' || size <= classes))
      .map((kind) => ({ size, kind })),
  );
}

/** How well each rule does on `count` batches of one kind. */
export async function labelRow(
  network: LabelNetwork,
  { size, kind: [choice, kind] }: ReturnType<typeof labelCases>[number],
  { params, inputs, sharing }: { readonly params: Params; readonly inputs: Inputs; readonly sharing: Sharing },
): Promise<Row> {
  const count = params.labelBatches;
  const classes = inputs.model.classes;
  const even = Array.from({ length: size }, (_, i) => i % classes);
  let guess = 0;
  const sums = new Map<LabelRule, { exact: number; answered: number; overlap: number; note: string }>();
  for (let batch = 0; batch < count; batch++) {
    const victim = network.of(batch);
    const { images, labels } = take(
      inputs.own,
      batchItems(inputs.own.labels, choice, size, batch, params.seed),
      victim.shape,
    );
    const priors = await sharing.priors(victim, dummyImages(inputs.publics, victim.shape, 32, params.seed));
    const { shared } = await sharing.share(images, labels, weightsOf(victim));
    guess += labelOverlap(even, labels) / count;
    const evidence = labelEvidence(victim, shared, { batchSize: size, priors });
    for (const rule of labelRules) {
      const found = recoverLabels(rule, evidence);
      const sum = sums.get(rule) ?? { exact: 0, answered: 0, overlap: 0, note: '' };
      const overlap = labelOverlap(found.labels, labels);
      sums.set(rule, {
        exact: sum.exact + Number(overlap === 1),
        answered: sum.answered + Number(found.labels !== undefined),
        overlap: sum.overlap + overlap / count,
        note: sum.note === '' ? (found.notes[0] ?? '') : sum.note,
      });
    }
  }
  const rules = [...sums].map(([rule, sum]) => ({ rule, ...sum }));
  return { network: network.title, batchSize: size, kind, guess, rules };
}
