import { z } from 'zod';

/** What a perturbation is measured by; 'l0' counts pixels times channels that changed. */
export const norms = ['linf', 'l2', 'l1', 'l0'] as const;
export type Norm = (typeof norms)[number];

/** What the attacker sees of the model. */
export type AttackAccess = 'white-box' | 'score' | 'decision' | 'transfer' | 'none';

export interface AttackPaper {
  readonly title: string;
  readonly authors: string;
  readonly venue: string;
  readonly year: number;
}

/** Everything that can be said of an attack without running it. Pure: forms, reports and the command line read it. */
export interface AttackDeclaration<Options extends z.ZodObject = z.ZodObject> {
  /** Stored for ever. */
  readonly id: string;
  readonly title: string;
  readonly paper: AttackPaper;
  readonly norms: readonly Norm[];
  readonly access: AttackAccess;
  /** 'bounded' searches inside a ball of radius epsilon; 'minimal' looks for the smallest perturbation, of any size. */
  readonly aim: 'bounded' | 'minimal';
  /** Whether it can be told which class to reach. */
  readonly canTarget: boolean;
  /** Whether two seeds may give two results. */
  readonly isRandom: boolean;
  /** Fewer classes than this and its loss is not defined. */
  readonly fewestClasses: number;
  /** A control shows what no attacker is needed for: it is never part of a worst case. */
  readonly isControl?: boolean;
  /** What differs from the paper or from other toolboxes. */
  readonly notes?: string;
  /** z.strictObject; every option has a default. */
  readonly options: Options;
  /**
   * Passes through the model for one image at most, forward and backward, as an estimate: what the budget of a run is
   * made of. One gradient counts as one forward and one backward.
   */
  cost(options: z.output<Options>, classes: number): { readonly forward: number; readonly backward: number };
}

/** Keeps the type of the options. */
export const declareAttack = <Options extends z.ZodObject>(
  declaration: AttackDeclaration<Options>,
): AttackDeclaration<Options> => declaration;

/** Number of steps of an iterative attack. */
export const steps = (count: number): z.ZodDefault<z.ZodInt> => z.int().min(1).max(100_000).default(count);
export const restarts = (count = 1): z.ZodDefault<z.ZodInt> => z.int().min(1).max(1000).default(count);
