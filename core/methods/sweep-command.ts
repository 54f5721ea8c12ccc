import type { RunRequest } from '../contract/run.ts';
import {
  argumentsOf,
  commandLine,
  commandSettings,
  isSame,
  quote,
  verbArguments,
  type CommandLineOptions,
  type Setting,
} from './command-line.ts';
import type { MethodSpec } from './define.ts';
import { kebabCase, paramFields } from './parameters.ts';
import { combinations, countOf, textOfValues, type Axis } from './sweep-values.ts';
import { shapeOfFlag } from './variation.ts';

/** What one run of a group sets, where others set something else: flag → value; a flag that is not there is not given. */
type Cell = Readonly<Record<string, string | boolean>>;

/**
 * One line for a shell that asks for all of these runs again, in this order: `palimpsest run METHOD … --vary seed=0..4`.
 * What several flags set together, or no list of values can say, is written as JSON, a run for each object.
 */
export function sweepCommand(
  spec: MethodSpec,
  requests: readonly RunRequest[],
  options: CommandLineOptions = {},
): string | undefined {
  const [first] = requests;
  if (!first) return undefined;
  const varied = variedParams(spec, requests);
  if (requests.length === 1) return commandLine(spec, first, options);
  const explicit = new Set(['seed', ...varied]);
  const rows = requests.map((request) => new Map(commandSettings(spec, request, options, explicit)));
  const flags = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  const changing = flags.filter((flag) => rows.some((row) => row.get(flag) !== rows[0]?.get(flag)));
  const common = [...(rows[0] ?? [])].filter(([flag]) => !changing.includes(flag));
  const variations = axesOf(spec, rows, changing).map((axis): Setting => ['vary', variationText(spec, axis)]);
  const parts = [...common, ...variations].flatMap(argumentsOf);
  return ['palimpsest', ...verbArguments(spec), ...parts].map(quote).join(' ');
}

function variedParams(spec: MethodSpec, requests: readonly RunRequest[]): readonly string[] {
  return paramFields(spec).flatMap(({ name }) =>
    requests.some(({ params }) => !isSame(params[name], requests[0]?.params[name])) ? [name] : [],
  );
}

type Row = ReadonlyMap<string, string | boolean>;

/** Flags that vary each for itself where the runs are all combinations, else with those of their role, else together. */
function axesOf(spec: MethodSpec, rows: readonly Row[], changing: readonly string[]): readonly Axis<Cell>[] {
  const roles = [...Object.keys(spec.models), ...Object.keys(spec.data)].map(kebabCase);
  const roleOf = (flag: string): string =>
    roles.find((role) => flag === role || details.some((detail) => flag === `${role}-${detail}`)) ?? flag;
  const byRole = Object.values(Object.groupBy(changing, roleOf)).flatMap((group) => (group ? [group] : []));
  const groupings = [changing.map((flag) => [flag]), byRole];
  const found = groupings.map((groups) => productOf(rows, groups)).find((axes) => axes !== undefined);
  return found ?? [{ key: '', values: rows.map((row) => cellOf(row, changing)) }];
}

const details = ['mean', 'std', 'dims', 'classes', 'split', 'format', 'limit'];

const cellOf = (row: Row, flags: readonly string[]): Cell =>
  Object.fromEntries(
    flags.flatMap((flag) => {
      const value = row.get(flag);
      return value === undefined ? [] : [[flag, value]];
    }),
  );

/** The axes of which the rows are every combination in order; undefined where they are not. */
function productOf(rows: readonly Row[], groups: readonly (readonly string[])[]): readonly Axis<Cell>[] | undefined {
  const columns = groups.map((flags) => {
    const texts = rows.map((row) => JSON.stringify(cellOf(row, flags)));
    const cells = new Map(rows.map((row, i) => [texts[i] ?? '', cellOf(row, flags)]));
    return { texts, key: flags.join(), cells, firstChange: texts.findIndex((text) => text !== texts[0]) };
  });
  // What changes first changes fastest.
  const sorted = columns.toSorted((a, b) => b.firstChange - a.firstChange);
  const axes = sorted.map(({ key, cells }) => ({ key, values: [...cells.keys()] }));
  if (countOf(axes) !== rows.length) return undefined;
  const isProduct = combinations(axes).every((combination, i) =>
    sorted.every(({ key, texts }) => combination.get(key) === texts[i]),
  );
  return isProduct ? sorted.map(({ key, cells }) => ({ key, values: [...cells.values()] })) : undefined;
}

function variationText(spec: MethodSpec, { values }: Axis<Cell>): string {
  const flags = [...new Set(values.flatMap((cell) => Object.keys(cell)))];
  const [flag] = flags;
  const texts = values.flatMap((cell) => (flag !== undefined && flag in cell ? [String(cell[flag])] : []));
  const isOne = flags.length === 1 && texts.length === values.length;
  const list = isOne && flag !== undefined ? textOfValues(texts, shapeOfFlag(spec, flag)) : undefined;
  return list === undefined ? JSON.stringify(values) : `${flag}=${list}`;
}
