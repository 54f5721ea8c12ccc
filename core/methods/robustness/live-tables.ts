import { cellSeries, type LiveTable } from '../../contract/live-table.ts';
import type { MethodEvent } from '../context.ts';
import type { Audit } from './audit.ts';
import { partKey, type GroupJob, type GroupPlan, type Parts } from './groups.ts';

interface SoFar {
  readonly models: Audit['models'];
  readonly jobs: readonly GroupJob[];
  readonly plan: GroupPlan;
  readonly parts: Parts;
}

/** A cell that fills group by group, in their order: lanes finish in any order, and what is shown must not hang on it. */
interface Cell {
  readonly series: string;
  readonly groups: readonly GroupJob[];
  /** How many images of the group stand; undefined while that is not known. */
  readonly standingIn: (job: GroupJob) => number | undefined;
  reached: number;
  count: number;
  standing: number;
}

type Part = ReturnType<Parts['get']>;

export interface LiveTables {
  readonly tables: readonly LiveTable[];
  /** What has been finished since it was asked last. A part is looked at once for each cell that it belongs to. */
  advance(): Generator<MethodEvent, void, void>;
}

/**
 * A table for each audited model: attacks, their worst case, controls and no attack at all; epsilons; the share that stands
 * of the images met so far.
 */
export function openLiveTables({ models, jobs, plan, parts }: SoFar): LiveTables {
  const several = models.length > 1;
  const all = models.map(({ role, model }) => {
    const groups = jobs.filter((job) => job.role === role);
    const title = several ? `Robust accuracy of ${model.title}` : 'Robust accuracy';
    const table = tableOf(role === 'victim' ? 'accuracy' : `accuracy-${role}`, title, plan, groups);
    return { table, cells: cellsOf(table, role, groups, plan, parts) };
  });
  return {
    tables: all.map(({ table }) => table),
    *advance() {
      for (const { cells } of all) for (const cell of cells) yield* fill(cell);
    },
  };
}

const [worstLabel, cleanLabel] = ['Worst case', 'No attack'];

function tableOf(name: string, title: string, plan: GroupPlan, groups: readonly GroupJob[]): LiveTable {
  const attacks = plan.attacks.map(({ declaration }) => declaration);
  return {
    name,
    title,
    unit: 'fraction',
    rowTitle: 'Attack',
    columnTitle: `Epsilon (${plan.norm})`,
    rows: [
      ...attacks.map(
        ({ title: label, isControl = false }) => ({ label, kind: isControl ? 'apart' : 'usual' }) as const,
      ),
      ...(attacks.every(({ isControl }) => isControl) ? [] : [{ label: worstLabel, kind: 'summary' } as const]),
      { label: cleanLabel, kind: 'apart' },
    ],
    columns: columnsOf(plan.epsilons),
    total: groups.reduce((sum, { labels }) => sum + labels.length, 0),
    of: 'images',
  };
}

/** Short where that tells them apart. */
function columnsOf(epsilons: readonly number[]): string[] {
  const short = epsilons.map((epsilon) => String(Number(epsilon.toPrecision(4))));
  return new Set(short).size === short.length ? short : epsilons.map(String);
}

function cellsOf(
  table: LiveTable,
  role: string,
  groups: readonly GroupJob[],
  { attacks, epsilons }: GroupPlan,
  parts: Parts,
): Cell[] {
  const ids = attacks.map(({ declaration }) => declaration.id);
  const harmful = attacks.filter(({ declaration }) => !declaration.isControl).map(({ declaration }) => declaration.id);
  const partsOf = (group: number, some: readonly string[], within: readonly number[]): Part[] =>
    within.flatMap((epsilon) => some.map((id) => parts.get(partKey(role, group, id, epsilon))));
  return epsilons.flatMap((epsilon, column) => {
    const cell = (label: string, standingIn: Cell['standingIn']): Cell => {
      const series = cellSeries(table, label, table.columns[column] ?? '');
      return { series, groups, standingIn, reached: 0, count: 0, standing: 0 };
    };
    const upTo = epsilons.filter((each) => each <= epsilon);
    return [
      ...attacks.map(({ declaration: { id, title } }) =>
        cell(title, ({ group }) => standing(partsOf(group, [id], [epsilon]))),
      ),
      ...(harmful.length > 0 ? [cell(worstLabel, ({ group }) => standing(partsOf(group, harmful, upTo)))] : []),
      cell(cleanLabel, ({ group }) => {
        const [first] = partsOf(group, ids.slice(0, 1), epsilons.slice(0, 1));
        return first?.records.filter(({ verdict }) => verdict !== 'already-wrong').length;
      }),
    ];
  });
}

/** Images that all of `found` left standing; undefined when one of them is missing. */
function standing(found: readonly Part[]): number | undefined {
  const fallen = new Set<number>();
  for (const part of found) {
    if (!part) return undefined;
    // Who was skipped fell to another attack.
    part.records.forEach(({ verdict }, i) => verdict !== 'robust' && fallen.add(i));
  }
  return (found[0]?.records.length ?? 0) - fallen.size;
}

function* fill(cell: Cell): Generator<MethodEvent, void, void> {
  for (;;) {
    const job = cell.groups[cell.reached];
    const more = job && cell.standingIn(job);
    if (!job || more === undefined) return;
    cell.reached++;
    cell.count += job.labels.length;
    cell.standing += more;
    yield { type: 'metric', name: cell.series, step: cell.count, value: cell.standing / cell.count };
  }
}
