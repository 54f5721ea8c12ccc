/** A defence as it is written in a parameter: `kind`, or `kind:number`, or `kind:number:number`. */

interface Form {
  readonly numbers: readonly { readonly title: string; readonly least: number; readonly most: number }[];
}

const variance = { title: 'variance', least: 0, most: 1e6 };
const norm = { title: 'norm', least: 1e-9, most: 1e9 };
const fraction = { title: 'fraction', least: 0, most: 0.9999 };

export const defenceForms = {
  gaussian: { numbers: [variance] },
  laplace: { numbers: [variance] },
  clip: { numbers: [norm] },
  prune: { numbers: [fraction] },
  'prune-global': { numbers: [fraction] },
  float16: { numbers: [] },
  bfloat16: { numbers: [] },
  int8: { numbers: [] },
  sign: { numbers: [] },
  'dp-sgd': { numbers: [norm, { title: 'noise multiplier', least: 0, most: 1000 }] },
} as const satisfies Readonly<Record<string, Form>>;

export type DefenceName = keyof typeof defenceForms;

export interface DefenceText {
  readonly name: DefenceName;
  readonly numbers: readonly number[];
}

const isName = (name: string): name is DefenceName => Object.hasOwn(defenceForms, name);

/** What is written, or why it is no defence. */
export function readDefence(text: string): DefenceText | string {
  const [name = '', ...rest] = text.split(':');
  if (!isName(name)) return `"${text}": expected one of ${Object.keys(defenceForms).join(', ')}`;
  const form: Form = defenceForms[name];
  const wanted = form.numbers.map(({ title }) => `:${title.toUpperCase()}`).join('');
  if (rest.length !== form.numbers.length) return `"${text}": expected ${name}${wanted}`;
  const numbers = rest.map(Number);
  const bad = form.numbers.find(
    ({ least, most }, i) => !((numbers[i] ?? Number.NaN) >= least && (numbers[i] ?? 0) <= most),
  );
  if (bad) return `"${text}": expected a ${bad.title} from ${bad.least} to ${bad.most}`;
  return { name, numbers };
}
