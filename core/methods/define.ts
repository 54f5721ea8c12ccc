import { z } from 'zod';
import type { MetricPoint, ResultMetrics } from '../contract/run.ts';

/** What a form, the command line and a report need to know about one parameter, beside its zod type. */
export interface ParamUi {
  readonly title: string;
  /** '1' for a pure number; 'steps', 'images', 'fraction', 'pixel' … */
  readonly unit?: string;
  readonly help?: string;
  /** 'basic' when absent. */
  readonly group?: 'basic' | 'advanced';
  /** Where the default comes from: the paper, the released code, our calibration. Shown as it stands. */
  readonly source?: string;
  /** The text may be the path of a file: it is one where it has a dot or a slash. Stored in full, named as short as can be. */
  readonly isFile?: boolean;
}

/** `.register(ui, {…})` comes last in a schema's chain. */
export const ui = z.registry<ParamUi>();

export interface ModelNeed {
  readonly title: string;
  readonly help: string;
  readonly output: 'logits';
  /** Highest order of derivative asked of this model. */
  readonly gradients: 0 | 1 | 2;
  readonly optional?: boolean;
  /** May be given as a zoo architecture (`--student lenet5-half`) instead of a file. */
  readonly zoo?: boolean;
  /** Used when nothing is given: a zoo name, or 'bundled:NAME' for a file in assets/. */
  readonly default?: string;
  /** Up to so many files in one run: `defineMethod` adds the roles ROLE2, ROLE3 …, which are optional. */
  readonly several?: number;
  /** Of a role that was added so: the role that was declared. */
  readonly entryOf?: string;
}

export interface DataNeed {
  readonly title: string;
  readonly help: string;
  readonly labels: 'required' | 'optional' | 'unused';
  readonly optional?: boolean;
  readonly split?: 'train' | 'test' | 'all';
}

export interface MetricSpec {
  readonly title: string;
  /** 'fraction' is printed as percent. */
  readonly unit: string;
  readonly better?: 'higher' | 'lower';
  /** What it was measured on. */
  readonly help?: string;
}

export interface Paper {
  readonly title: string;
  readonly authors: string;
  readonly venue: string;
  readonly year: number;
}

/** Who attacks, with what, and when it fails: a card before the start, a part of the report and of the method's page. */
export interface ThreatModel {
  /** What the attacker wants, one sentence. */
  readonly goal: string;
  /** What the attacker has: the file, gradients, a few images … */
  readonly knows: readonly string[];
  readonly assumes: readonly string[];
  /** When it is known to fail, and what a result therefore does not say. */
  readonly fails: readonly string[];
  /** Where the terms of others fit: `['NIST AI 100-2 E2025', 'Evasion, white-box']`, `['MITRE ATLAS', 'AML.T0043']`. */
  readonly terms?: readonly (readonly [source: string, term: string])[];
}

/** A pass of one image through a model; gradients include the forward pass that they need. */
export const passes = ['forward', 'input-gradient', 'parameter-gradient', 'second-order'] as const;
export type Pass = (typeof passes)[number];

/** What is known of a model before a run starts. */
export interface ModelScale {
  /** [channels, height, width] */
  readonly shape: readonly [number, number, number];
  readonly classes: number;
  /** Scalars that it learned. */
  readonly parameters: number;
  /** Numbers that a forward pass computes for one image. */
  readonly activations: number;
}

/** What is known of a run before it starts, for estimates. */
export interface RunScale {
  readonly params: Readonly<Record<string, unknown>>;
  readonly threads: number;
  /** Role → its model; roles that nothing is known of are missing. */
  readonly models: Readonly<Record<string, ModelScale>>;
  /** Role → how many images are used of the data set; roles without data are missing. */
  readonly data: Readonly<Record<string, number>>;
}

/** What a run needs beside time. */
export interface Footprint {
  /** Processes that compute beside that of the job. */
  readonly lanes: number;
  /** Bytes of images and results that the job keeps in memory at once. */
  readonly keptBytes: number;
  /** Images that go through a model at once, in each process. */
  readonly batchSize: number;
  /** Bytes of artefacts when it ends. */
  readonly writtenBytes: number;
}

/** A part of the work of a run, so that its time can be said before anything like it was run. */
export interface Work<Name extends string = string> {
  /**
   * How often: the product of these parameters, and of the number of images of `data.ROLE`. A list counts by its length, a
   * switch as 0 or 1.
   */
  readonly times: readonly (Name | `data.${string}`)[];
  /** A further factor, computed from the parameters that it names: attacks with options of their own, a list of steps. */
  readonly amount?: {
    readonly of: readonly Name[];
    readonly value: (params: Readonly<Record<string, unknown>>, models: RunScale['models']) => number;
  };
  /** How many images go through a graph at once: few make its operators cost more than their arithmetic. Many when absent. */
  readonly batch?: Name | number;
  /** One thing after the other: no lanes share it. */
  readonly isAlone?: boolean;
  /** Done only when this data set is given. */
  readonly data?: string;
  /** What one time costs: passes through models, by role. */
  readonly costs: readonly { readonly model: string; readonly pass: Pass; readonly count?: number }[];
}

export interface Recipe<Params> {
  readonly title: string;
  readonly help: string;
  readonly params: Partial<Params>;
}

export interface MethodSpec<Shape extends z.ZodRawShape = z.ZodRawShape> {
  /** Folder name, CLI name, stored for ever. */
  readonly id: string;
  /** Bumped by a breaking change of `params`; then `migrations[version - 1]` lifts stored params. */
  readonly version: number;
  readonly title: string;
  readonly summary: string;
  readonly papers: readonly Paper[];
  /** Said before the start: what is assumed, what it shows, when it is known to fail. */
  readonly purpose: string;
  /** Of a method that attacks or reads out. */
  readonly threatModel?: ThreatModel;
  /** Top-level CLI verb that is a shorthand for `run <id>`. */
  readonly verb?: string;
  readonly models: Readonly<Record<string, ModelNeed>>;
  readonly data: Readonly<Record<string, DataNeed>>;
  readonly params: z.ZodObject<Shape, z.core.$strict>;
  readonly recipes: Readonly<Record<string, Recipe<z.input<z.ZodObject<Shape>>>>>;
  readonly metrics: Readonly<Record<string, MetricSpec>>;
  /** Metrics shown in lists, in this order; each is a key of `metrics`. */
  readonly columns: readonly string[];
  /**
   * What the time of a run grows with: a sum of products of parameters, a switch counting as 0 or 1 and a list by its
   * length. Estimates scale by it what runs with the same models and data took; without it only the very same run tells.
   * Parts that say what they cost make an estimate possible before anything was run.
   */
  readonly work?: readonly (readonly (keyof Shape & string)[] | Work<keyof Shape & string>)[];
  /** Memory and disk of a run, from what is known before it starts. */
  readonly footprint?: (scale: RunScale) => Footprint;
  /** Looks at the models and data in some seconds and says before a run what can be expected of it; registry.ts has it. */
  readonly lookAhead?: {
    /** What is measured, one sentence. */
    readonly help: string;
  };
  /** from version n (key) to n + 1. */
  readonly migrations?: Readonly<Record<number, (params: Record<string, unknown>) => Record<string, unknown>>>;
}

export type ParamsOf<Spec> = Spec extends MethodSpec<infer Shape> ? z.output<z.ZodObject<Shape>> : never;

export function defineMethod<Shape extends z.ZodRawShape>(spec: MethodSpec<Shape>): MethodSpec<Shape> {
  const models = withEntries(spec.models);
  for (const column of spec.columns) {
    if (!(column in spec.metrics))
      throw new TypeError(`Method ${spec.id}: column "${column}" is not one of its metrics`);
  }
  for (const [name, schema] of Object.entries(spec.params.shape)) {
    if (!ui.has(schema))
      throw new TypeError(
        `Method ${spec.id}: parameter "${name}" has no ui entry; end its chain with .register(ui, …)`,
      );
  }
  for (const part of spec.work ?? []) {
    const costs = 'costs' in part ? part.costs : [];
    for (const { model } of costs) {
      if (!(model in models))
        throw new TypeError(`Method ${spec.id}: work of "${model}", which is not one of its models`);
    }
  }
  return { ...spec, models };
}

/** Every declared role with those that it stands for when it takes several files. */
function withEntries(models: MethodSpec['models']): MethodSpec['models'] {
  return Object.fromEntries(
    Object.entries(models).flatMap(([role, need]) => {
      const { several = 1, default: _, ...entry } = need;
      const more = Array.from({ length: several - 1 }, (_each, i): [string, ModelNeed] => {
        const title = `${need.title} ${i + 2}`;
        return [`${role}${i + 2}`, { ...entry, title, optional: true, entryOf: role }];
      });
      return [[role, need], ...more];
    }),
  );
}

/** The roles that `role` was declared for, itself first. */
export const rolesOf = ({ models }: Pick<MethodSpec, 'models'>, role: string): string[] =>
  Object.keys(models).filter((each) => each === role || models[each]?.entryOf === role);

/** The part of a run that a report may look at; everything is already loaded, so a report is a pure function. */
export interface ReportInput<Params = Record<string, unknown>> {
  readonly params: Params;
  readonly metrics: ResultMetrics;
  readonly series: Readonly<Record<string, readonly MetricPoint[]>>;
  /** Parsed JSON of a JSON artifact, or undefined. */
  json(name: string): unknown;
  /** data: URI of an image artifact, or undefined. */
  image(name: string): string | undefined;
  readonly artifactNames: readonly string[];
}
