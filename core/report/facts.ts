import type { Artifact, Environment, RunState } from '../contract/run.ts';

/** Everything about the run itself that a reader needs to check the result or to make it again. */
export interface ReportFacts {
  readonly runId: string;
  readonly state: RunState;
  readonly method: MethodFact;
  /** Name of the recipe, or null when the parameters were set one by one. */
  readonly recipe: string | null;
  /** null where the method draws nothing at random. */
  readonly seed: number | null;
  readonly createdAtMs: number;
  readonly finishedAtMs: number | null;
  /** Time spent computing, over all jobs. */
  readonly durationMs: number;
  /** Attempts that the run took; more than 1 after a resume. */
  readonly jobs?: number;
  readonly peakMemoryBytes?: number;
  /** null when the run never started. */
  readonly environment: Environment | null;
  readonly parameters: readonly ParameterFact[];
  readonly models: readonly InputFact[];
  readonly data: readonly InputFact[];
  readonly artifacts: readonly ArtifactFact[];
  /** One line for a shell that makes the run again. */
  readonly command: string;
  /** Warnings of the log, oldest first. */
  readonly warnings: readonly string[];
  /** Why the run failed. */
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string | undefined };
}

export interface MethodFact {
  readonly id: string;
  readonly title: string;
  readonly version: number;
  readonly papers: readonly PaperFact[];
  /** What is assumed, what it shows, when it is known to fail. */
  readonly purpose: string;
  readonly threatModel?: ThreatFact;
}

/** Who attacks, with what, and when it fails. */
export interface ThreatFact {
  readonly goal: string;
  readonly knows: readonly string[];
  readonly assumes: readonly string[];
  readonly fails: readonly string[];
  readonly terms?: readonly (readonly [source: string, term: string])[];
}

/** What a threat model says, by heading; nothing of what it leaves open. */
export function threatRows({
  goal,
  knows,
  assumes,
  fails,
  terms = [],
}: ThreatFact): readonly (readonly [heading: string, texts: readonly string[]])[] {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['Goal', [goal]],
    ['The attacker has', knows],
    ['Assumed', assumes],
    ['Fails when', fails],
    ['Terms', terms.map(([source, term]) => `${source}: ${term}`)],
  ];
  return rows.filter(([, texts]) => texts.length > 0);
}

export interface PaperFact {
  readonly title: string;
  readonly authors: string;
  readonly venue: string;
  readonly year: number;
}

export interface ParameterFact {
  /** Key in the request. */
  readonly name: string;
  readonly title: string;
  readonly value: unknown;
  readonly unit?: string | undefined;
  readonly help?: string | undefined;
  readonly source?: string | undefined;
  readonly isDefault: boolean;
}

/** A model or a data set that the run read. */
export interface InputFact {
  readonly role: string;
  readonly title: string;
  /** File name, folder name or zoo architecture; no more of the path than the reader should see. */
  readonly name: string;
  readonly sha256: string | null;
  /** Files beside a model that hold some of its weights. */
  readonly files?: readonly { readonly name: string; readonly sha256: string }[] | undefined;
  /** For instance "61,706 parameters, input 1×28×28" or "test split, 10,000 images". */
  readonly note?: string | undefined;
}

export type ArtifactFact = Pick<Artifact, 'name' | 'title' | 'mediaType' | 'sha256' | 'sizeBytes'>;
