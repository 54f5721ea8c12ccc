import { WorkbenchError } from '../../base/errors.ts';
import { sizeOf } from '../../base/tensor.ts';
import type { Attack } from '../../attacks/attack.ts';
import type { RandomDefence } from '../../attacks/defence.ts';
import type { CostMatrix } from '../../metrics/severity/dissimilarity.ts';
import type { Taxonomy } from '../../metrics/severity/taxonomy.ts';
import { classNamesOf, openFitting } from '../../train/inputs.ts';
import type { OpenedModel } from '../../train/models.ts';
import type { RunContext } from '../context.ts';
import { rolesOf, type ParamsOf } from '../define.ts';
import { settleBudget, type Settled } from './budgets.ts';
import { defenceOf, defenceText } from './defence.ts';
import { inPieces, pickedImages, type PickedImages } from './images.ts';
import { chooseTaxonomy, readCosts } from './measures.ts';
import { sameFiles, withOwnTitles } from './same-files.ts';
import { checkBeside, checkBudget, checkExtent, chooseAttacks, openVictimFile, pickImages } from './setup.ts';
import { spec } from './spec.ts';

type Params = ParamsOf<typeof spec>;

/** What an audit is about, checked and read before anything is attacked. */
export interface Audit {
  /** The audited models, the victim first. */
  readonly models: readonly { readonly role: string; readonly model: OpenedModel }[];
  /** What attacks transfer from. */
  readonly sources: readonly OpenedModel[];
  /** Judges appearance. */
  readonly judge: OpenedModel;
  readonly dataTitle: string;
  /** Labelled images in the data. */
  readonly available: number;
  readonly classNames: readonly string[];
  readonly settled: Settled;
  readonly attacks: readonly Attack[];
  readonly leftOut: readonly string[];
  /** What makes figures say less than they seem to. */
  readonly remarks: readonly string[];
  readonly defence: RandomDefence | undefined;
  readonly taxonomy: Taxonomy | undefined;
  readonly noSemantics: string | null;
  readonly costs: CostMatrix | undefined;
  /** Numbers of the audited images in the data, ascending; the images and their classes. */
  readonly indices: Int32Array<ArrayBuffer>;
  readonly images: PickedImages;
  readonly labels: Int32Array<ArrayBuffer>;
  /** Images beyond those, for universal perturbations [R, C, H, W]; may be empty. */
  readonly rest: Float32Array<ArrayBuffer>;
  readonly messages: readonly string[];
}

/** @throws MODEL_UNSUITABLE, DATA_UNSUITABLE, PARAM_INVALID */
export async function prepareAudit(
  { params, models: given, data, signal }: Pick<RunContext<Params>, 'params' | 'models' | 'data' | 'signal'>,
  keep: (resource: { close(): Promise<void> }) => void,
): Promise<Audit> {
  const victim = await openVictimFile(given['victim'], 'victim');
  const beside = async (role: string): Promise<OpenedModel | undefined> =>
    given[role] && checkBeside(await openVictimFile(given[role], role), victim, role);
  const openAll = async (declared: string): Promise<{ role: string; model: OpenedModel }[]> => {
    const found: { role: string; model: OpenedModel }[] = [];
    for (const role of rolesOf(spec, declared)) {
      const model = await beside(role);
      if (model) found.push({ role, model });
    }
    return found;
  };
  const models = withOwnTitles([{ role: 'victim', model: victim }, ...(await openAll('compared'))]);
  const sources = (await openAll('source')).map(({ model }) => model);
  const reference = await beside('reference');
  const ref = data['images'];
  if (!ref) {
    throw new WorkbenchError('PARAM_INVALID', 'The run names no images, expected labelled images', {
      hint: 'Give a folder or file with --images.',
    });
  }
  const set = await openFitting(ref, 'images', victim, 'required');
  keep(set);
  const all = set.labels ?? new Int32Array(0);
  const settled = settleBudget(params, victim, set.title);
  checkBudget(params, settled, sizeOf(victim.shape));
  const { attacks, leftOut } = chooseAttacks(params, settled, victim.classes, sources.length > 0);
  const defence = defenceOf(params);
  const numbered = classNamesOf(victim, set);
  const titles = `${victim.title} ${set.title}`;
  const found = params.severity ? chooseTaxonomy(params, settled.preset, numbered, titles) : { none: '' };
  // Data without names takes those that its classes are measured by.
  const isNumbered = numbered.every((name, i) => name === String(i));
  const classNames = isNumbered && 'taxonomy' in found ? found.taxonomy.classes : numbered;
  const costs = params.severity ? readCosts(params, victim.classes) : undefined;
  const picked = pickImages(params, all, victim.classes);
  const extent = {
    count: picked.audited.length,
    attacks: attacks.length,
    epsilons: settled.epsilons.length,
    classes: models.map(({ model }) => model.classes),
  };
  checkExtent(params, extent, sizeOf(victim.shape));
  const rest = pickedImages(set, params.universal.length > 0 ? picked.rest : new Int32Array(0));
  const restImages = new Float32Array(rest.count * rest.size);
  for await (const { from, images } of inPieces(rest, 256, signal)) restImages.set(images, from * rest.size);
  return {
    models,
    sources,
    judge: reference ?? victim,
    dataTitle: set.title,
    available: all.length,
    classNames,
    settled,
    attacks,
    leftOut,
    remarks: sameFiles(given),
    defence,
    taxonomy: 'taxonomy' in found ? found.taxonomy : undefined,
    noSemantics: 'none' in found ? found.none : null,
    costs,
    indices: picked.audited,
    images: pickedImages(set, picked.audited),
    labels: Int32Array.from(picked.audited, (i) => all[i] ?? 0),
    rest: restImages,
    messages: [
      ...(defence ? [defenceText(defence)] : []),
      `Budgets of ${settled.preset}: ${params.norm} ${settled.epsilons.map((epsilon) => Number(epsilon.toPrecision(4))).join(', ')}; ${picked.audited.length} of ${all.length} images of ${set.title}, pixels from ${params.low} to ${params.high}`,
      ...models
        .filter(({ model }) => model.description.softmaxRemoved)
        .map(({ model: { title } }) => `${title} ends in a softmax; the logits before it are attacked.`),
    ],
  };
}
