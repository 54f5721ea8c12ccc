/** A line over steps. */
export interface Curve {
  readonly label: string;
  readonly points: readonly (readonly [number, number])[];
  /** Where all of its points are stored, when `points` may be some of them. */
  readonly source?: { readonly runId: string; readonly name: string };
}

/** Curves that belong into one chart: `loss.student` and `loss.noise` are lines of the family `loss`. */
export interface Family {
  readonly name: string;
  readonly members: readonly { readonly series: string; readonly label: string }[];
}

export function familiesOf(names: readonly string[]): readonly Family[] {
  const families = new Map<string, { series: string; label: string }[]>();
  for (const series of names) {
    const [family = series, ...rest] = series.split('.');
    const members = families.get(family) ?? [];
    members.push({ series, label: rest.join('.') || family });
    families.set(family, members);
  }
  return [...families].map(([name, members]) => ({ name, members }));
}

/** Steps of all curves in one table, a column each; '' where a curve has no point. */
export function tableOf(
  curves: readonly Curve[],
  xTitle: string,
): {
  readonly head: readonly string[];
  readonly rows: readonly (readonly (number | undefined)[])[];
} {
  const byStep = new Map<number, (number | undefined)[]>();
  curves.forEach(({ points }, column) => {
    for (const [step, value] of points) {
      const row = byStep.get(step) ?? curves.map(() => undefined);
      row[column] = value;
      byStep.set(step, row);
    }
  });
  const rows = [...byStep].toSorted(([a], [b]) => a - b).map(([step, values]) => [step, ...values]);
  return { head: [xTitle, ...curves.map(({ label }) => label)], rows };
}

/** The curves of before where no point has come to any of them: a chart that has not changed is not drawn anew. */
export function unchanged(before: readonly Curve[] | undefined, after: readonly Curve[]): readonly Curve[] {
  const isSame =
    before?.length === after.length &&
    after.every(({ label, points }, i) => before[i]?.label === label && before[i].points === points);
  return isSame ? before : after;
}
