import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { assetPath } from '../../data/assets.ts';
import { toWorkbenchError, WorkbenchError } from '../../base/errors.ts';
import {
  cosineDissimilarity,
  costMatrix,
  type CostMatrix,
  type Dissimilarity,
} from '../../metrics/severity/dissimilarity.ts';
import {
  alignTaxonomy,
  semanticDistances,
  taxonomyFromCsv,
  taxonomyFromJson,
  type Taxonomy,
} from '../../metrics/severity/taxonomy.ts';
import type { OpenedModel } from '../../train/models.ts';
import type { ParamsOf } from '../define.ts';
import type { Preset } from './budgets.ts';
import type { spec } from './spec.ts';

type Params = ParamsOf<typeof spec>;

const bundledPath = (name: string): string => assetPath(`taxonomies/${name}.json`);

/** Files of the user are small: anything larger is no taxonomy and no cost matrix. */
const mostBytes = 4 * 2 ** 20;

function readText(path: string, what: string): string {
  try {
    const { size } = statSync(path);
    if (size <= mostBytes) return readFileSync(path, 'utf8');
    throw new WorkbenchError(
      'PARAM_INVALID',
      `${what} ${basename(path)}: expected at most ${mostBytes} bytes, got ${size}`,
    );
  } catch (thrown) {
    if (thrown instanceof WorkbenchError) throw thrown;
    throw new WorkbenchError('PARAM_INVALID', `${what} ${path} cannot be read: ${toWorkbenchError(thrown).message}`, {
      hint: 'Check the path; it is relative to the folder that the run is started from.',
      cause: thrown,
    });
  }
}

function parseTaxonomy(path: string): Taxonomy | null {
  const text = readText(path, 'Taxonomy');
  if (/\.csv$/i.test(path)) return taxonomyFromCsv(text, basename(path));
  try {
    const json: unknown = JSON.parse(text);
    return taxonomyFromJson(json, basename(path));
  } catch (thrown) {
    if (thrown instanceof WorkbenchError) throw thrown;
    throw new WorkbenchError(
      'PARAM_INVALID',
      `Taxonomy ${basename(path)} is no JSON: ${toWorkbenchError(thrown).message}`,
      {
        cause: thrown,
      },
    );
  }
}

/** The taxonomy of the run for these classes, or why there is none. */
export function chooseTaxonomy(
  { taxonomy }: Params,
  preset: Preset,
  classNames: readonly string[],
  /** Of model and data. */
  titles: string,
): { readonly taxonomy: Taxonomy } | { readonly none: string } {
  if (taxonomy === 'none') return { none: 'Semantic severity was switched off.' };
  if (taxonomy !== 'auto') {
    const path = existsSync(bundledPath(basename(taxonomy))) ? bundledPath(basename(taxonomy)) : taxonomy;
    const chosen = parseTaxonomy(path);
    return chosen ? { taxonomy: alignTaxonomy(chosen, classNames) } : { none: noSemantics(basename(taxonomy)) };
  }
  const likely = {
    mnist: 'mnist',
    'fashion-mnist': 'fashion-mnist',
    cifar: classNames.length === 100 ? 'cifar-100' : 'cifar-10',
    imagenet: undefined,
  }[preset];
  const none = `There is no bundled taxonomy for these ${classNames.length} classes: semantic severity needs one of your own.`;
  if (likely === undefined) return { none };
  // Ten classes without names on small colour images are not yet animals and vehicles.
  const isNumbered = classNames.every((name, i) => name === String(i));
  if (preset === 'cifar' && isNumbered && !/cifar/i.test(titles)) {
    return { none: `${none} If these are the classes of ${likely}, in its order, say so: choose that taxonomy.` };
  }
  const chosen = parseTaxonomy(bundledPath(likely));
  if (!chosen) return { none: noSemantics(likely) };
  try {
    return { taxonomy: alignTaxonomy(chosen, classNames) };
  } catch {
    // Other classes than those of the data set that it looks like.
    return { none };
  }
}

const noSemantics = (name: string): string =>
  `The classes of ${name} have no semantics, so semantic severity is left out; ranks, confidence and appearance remain.`;

export function readCosts({ costs }: Params, classes: number): CostMatrix | undefined {
  if (costs === '') return undefined;
  const rows = readText(costs, 'Cost matrix')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(/[,;\t]/).map((cell) => Number(cell.trim() === '' ? Number.NaN : cell)));
  return costMatrix(rows, classes, basename(costs));
}

export interface MeasureInput {
  readonly taxonomy: Taxonomy | undefined;
  readonly victim: OpenedModel;
  /** Judges appearance; the victim itself when no other model was given. */
  readonly judge: OpenedModel;
  /** V3 of the judge; undefined when too few classes have images. */
  readonly confusion: Float64Array | undefined;
  /** V1, from features of the judge; undefined when it has no last linear layer, or a class no image. */
  readonly features: Float64Array | undefined;
  /** V4; undefined when a class has no image. */
  readonly pixels: Float64Array | undefined;
}

/** Semantic measures first, then V1 to V4 as far as the models and images allow. */
export function chooseMeasures({
  taxonomy,
  victim,
  judge,
  confusion,
  features,
  pixels,
}: MeasureInput): Dissimilarity[] {
  const measures: Dissimilarity[] = [];
  if (taxonomy) {
    const { wuPalmer, path, height } = semanticDistances(taxonomy);
    measures.push(
      { name: 'wup', title: `Wu–Palmer in ${taxonomy.title}`, values: wuPalmer },
      { name: 'path', title: 'Path', values: path },
      { name: 'height', title: 'LCA height', values: height },
    );
  }
  const by = judge === victim ? 'own' : judge.title;
  if (confusion) measures.push({ name: 'v3', title: `Confusion, ${by}`, values: confusion });
  if (features) measures.push({ name: 'v1', title: `Features, ${by}`, values: features });
  const { templates } = victim.description;
  if (templates) {
    const values = cosineDissimilarity(templates.weight, victim.classes);
    measures.push({ name: 'v2', title: 'Last layer, own', values });
  }
  if (pixels) measures.push({ name: 'v4', title: 'Pixels', values: pixels });
  return measures;
}
