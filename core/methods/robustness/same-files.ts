import type { ModelRef } from '../../contract/run.ts';
import type { OpenedModel } from '../../train/models.ts';
import { spec } from './spec.ts';

type Given = Readonly<Record<string, ModelRef | undefined>>;

/** A file is what it holds, and what was said of it. */
function identity(reference: ModelRef | undefined): string | undefined {
  if (reference?.kind !== 'file') return undefined;
  const { path, sha256 = path, normalisation, dims } = reference;
  return JSON.stringify([sha256, normalisation ?? null, dims ?? null]);
}

const kindOf = (role: string): string => spec.models[role]?.entryOf ?? role;
const titleOf = (role: string): string => spec.models[role]?.title ?? role;

/** What it means when two roles have the same file, one sentence for each pair. */
export function sameFiles(given: Given): string[] {
  const roles = Object.keys(spec.models).filter((role) => given[role] !== undefined);
  return roles.flatMap((first, i) =>
    roles.slice(i + 1).flatMap((second) => {
      const isSame = identity(given[first]) !== undefined && identity(given[first]) === identity(given[second]);
      const meaning = isSame ? consequence(kindOf(first), kindOf(second)) : undefined;
      const [one, other] = [titleOf(first), titleOf(second).toLowerCase()];
      return meaning === undefined ? [] : [`${one} and ${other} are the same file: ${meaning}.`];
    }),
  );
}

/** Of the kinds of two roles in the order of their declaration; undefined where nothing is wrong with it. */
function consequence(first: string, second: string): string | undefined {
  const pair = `${first} ${second}`;
  switch (pair) {
    case 'victim compared':
    case 'compared compared':
      return 'comparing them tells nothing';
    case 'victim source':
      return 'attacks that “transfer” follow the audited model’s own gradients, and say nothing of an attacker who lacks it';
    case 'compared source':
      return 'on that model attacks that “transfer” follow its own gradients, so the models cannot be compared by them';
    case 'source source':
      return 'a second copy adds nothing to what the attacker knows';
    case 'victim reference':
      return 'appearance is judged by the audited model itself';
    default:
      return undefined;
  }
}

interface Titled {
  readonly role: string;
  readonly model: OpenedModel;
}

/** Figures are told apart by the titles of their models: those of the same name in several folders get a number. */
export function withOwnTitles(models: readonly Titled[]): Titled[] {
  const seen = new Map<string, number>();
  return models.map(({ role, model }) => {
    const count = (seen.get(model.title) ?? 0) + 1;
    seen.set(model.title, count);
    return { role, model: count === 1 ? model : { ...model, title: `${model.title} (${count})` } };
  });
}
