import { WorkbenchError } from '../core/base/errors.ts';
import type { MethodSpec } from '../core/methods/define.ts';
import { combinations, countOf, mostRuns, type Axis } from '../core/methods/sweep-values.ts';
import { readVariation, type Variation } from '../core/methods/variation.ts';
import type { Arguments, Flag, FlagGroup } from './arguments.ts';
import { didYouMean } from './suggest.ts';

export const varyFlag: Flag = {
  name: 'vary',
  value: 'NAME=VALUE;…',
  help:
    'A run for each value of the flag --NAME, which make a group; given several times, for each combination. Values are ' +
    'parted by semicolons, numbers and choices by commas too, and 0..4 are whole numbers in a row. A JSON list of ' +
    'objects changes flags together: [{"seed": 1, "steps": 10}, …].',
};

/** Flags that are about the command, not about the run. */
const fixed: ReadonlySet<string> = new Set([
  'vary',
  'workspace',
  'json',
  'quiet',
  'dry-run',
  'preflight',
  'debug',
  'help',
]);

export interface VariedRun {
  readonly args: Arguments;
  /** What it sets, where others set something else. */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * What each run of the group is told; the arguments alone where nothing is varied. A varied flag takes the place of one that
 * is given.
 * @throws USAGE naming the variation
 */
export function variedRuns(spec: MethodSpec, args: Arguments, groups: readonly FlagGroup[]): readonly VariedRun[] {
  const flags = new Map(groups.flatMap((group) => group.flags.map((flag) => [flag.name, flag])));
  const axes = args.texts('vary').map((text, i): Axis<Variation[number]> => {
    const read = readVariation(spec, text);
    if (!read.ok) throw refused(read.problem, 'For instance --vary seed=0..4, or --vary "epsilons=0.1,0.2;0.3".');
    for (const name of read.variation.flatMap((each) => Object.keys(each))) {
      if (flags.has(name) && !fixed.has(name)) continue;
      const names = [...flags.keys()].filter((flag) => !fixed.has(flag));
      const hint = didYouMean(name, names) ?? 'Any flag about the models, the data or the parameters can be varied.';
      throw refused(`there is no flag --${name} to vary`, hint);
    }
    return { key: String(i), values: read.variation };
  });
  if (axes.length === 0) return [{ args, settings: {} }];
  refuseTwice(axes);
  const count = countOf(axes);
  if (count > mostRuns) throw refused(`these are ${count} runs, expected at most ${mostRuns}`, 'Vary less.');
  return combinations(axes).map((combination) => {
    const settings = Object.assign({}, ...combination.values()) satisfies Variation[number];
    return { args: withSettings(args, settings, flags), settings };
  });
}

function refuseTwice(axes: readonly Axis<Variation[number]>[]): void {
  const seen = new Set<string>();
  for (const { values } of axes) {
    const names = new Set(values.flatMap((each) => Object.keys(each)));
    const twice = [...names].find((name) => seen.has(name));
    if (twice !== undefined) throw refused(`--${twice} is varied twice`, 'Give all of its values in one --vary.');
    for (const name of names) seen.add(name);
  }
}

function withSettings(args: Arguments, settings: Variation[number], flags: ReadonlyMap<string, Flag>): Arguments {
  for (const [name, value] of Object.entries(settings)) {
    const isSwitch = flags.get(name)?.value === undefined;
    if (isSwitch && value !== 'true' && value !== 'false') {
      throw refused(`expected true or false for ${name}, got "${value}"`, `For instance --vary ${name}=true,false.`);
    }
  }
  const given = new Map(Object.entries(settings));
  return {
    positionals: args.positionals,
    text: (name) => given.get(name) ?? args.text(name),
    texts: (name) => args.texts(name),
    isOn: (name) => (given.has(name) ? given.get(name) === 'true' : args.isOn(name)),
  };
}

const refused = (problem: string, hint: string): WorkbenchError =>
  new WorkbenchError('USAGE', `Flag --vary: ${problem}`, { hint });
