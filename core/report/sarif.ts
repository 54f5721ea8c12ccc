import type { Finding, FindingReference, ReportDocument } from './document.ts';
import type { InputFact, ReportFacts } from './facts.ts';

/**
 * The findings of a report as a SARIF 2.1.0 log (OASIS Standard, 27 March 2020) for tools that gather results of many
 * checkers. A finding is a result, its kind a rule, the audited file an artifact with its SHA-256, and the catalogues of
 * attacks are taxonomies. Numbers of the evidence stand in the property bags, unrounded.
 */
export function reportSarif(document: ReportDocument, facts: ReportFacts): SarifLog {
  const findings = document.findings ?? [];
  const kinds = [...new Map(findings.map((finding) => [finding.id, finding])).values()];
  const catalogues = taxonomies(findings);
  const files = facts.models.filter(({ sha256 }) => sha256 !== null);
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Palimpsest',
            ...(facts.environment === null ? {} : { version: facts.environment.palimpsest }),
            rules: kinds.map(({ id, kind, title }) => ({ id, shortDescription: { text: kind ?? title } })),
            supportedTaxonomies: catalogues.map(({ name }, index) => ({ name, index })),
          },
        },
        automationDetails: { id: `${facts.method.id}/${facts.runId}` },
        invocations: [
          {
            commandLine: facts.command,
            executionSuccessful: facts.state === 'succeeded',
            startTimeUtc: new Date(facts.createdAtMs).toISOString(),
            ...(facts.finishedAtMs === null ? {} : { endTimeUtc: new Date(facts.finishedAtMs).toISOString() }),
          },
        ],
        artifacts: files.map(artifact),
        taxonomies: catalogues,
        results: findings.map((finding) => result(finding, kinds, catalogues, files, facts)),
      },
    ],
  };
}

function result(
  finding: Finding,
  kinds: readonly Finding[],
  catalogues: readonly SarifTaxonomy[],
  files: readonly InputFact[],
  facts: ReportFacts,
): SarifResult {
  const index = Math.max(
    0,
    files.findIndex(({ role }) => role === finding.model),
  );
  const file = files[index];
  const { count, value, unit, interval, budget, seed } = finding.evidence;
  return {
    ruleId: finding.id,
    ruleIndex: kinds.findIndex(({ id }) => id === finding.id),
    kind: finding.level === 'note' ? 'informational' : 'fail',
    level: finding.level === 'note' ? 'none' : finding.level,
    message: { text: `${finding.title}. ${finding.text}` },
    // A weakness of a model has no line; consumers want a place all the same, and the file is it.
    locations: file === undefined ? [] : [{ physicalLocation: { artifactLocation: { uri: uriOf(file), index } } }],
    taxa: finding.references.map((reference) => taxon(reference, catalogues)),
    properties: {
      n: count,
      ...(value === undefined ? {} : { value, unit: unit ?? '1' }),
      ...(interval === undefined ? {} : { confidence: 0.95, low: interval[0], high: interval[1] }),
      budget,
      seed,
      command: facts.command,
    },
  };
}

function taxon({ catalogue, id }: FindingReference, catalogues: readonly SarifTaxonomy[]) {
  const component = catalogues.findIndex(({ name }) => name === catalogue);
  const index = catalogues[component]?.taxa.findIndex((entry) => entry.id === id) ?? -1;
  return { id, index, toolComponent: { name: catalogue, index: component } };
}

/** Each catalogue that is referred to, with the entries that are. */
function taxonomies(findings: readonly Finding[]): SarifTaxonomy[] {
  const references = findings.flatMap((finding) => finding.references);
  const names = [...new Set(references.map(({ catalogue }) => catalogue))];
  return names.map((name) => {
    const entries = new Map(references.filter(({ catalogue }) => catalogue === name).map((entry) => [entry.id, entry]));
    return {
      name,
      isComprehensive: false,
      taxa: [...entries.values()].map((entry) => ({ id: entry.id, name: entry.name })),
    };
  });
}

function artifact(file: InputFact) {
  return {
    location: { uri: uriOf(file) },
    description: { text: file.title },
    roles: ['analysisTarget'],
    ...(file.sha256 === null ? {} : { hashes: { 'sha-256': file.sha256 } }),
  };
}

/** Names with spaces or colons are no URI as they stand; "bundled:NAME" is one already. */
const uriOf = ({ name }: InputFact): string =>
  /^bundled:[\w.-]+$/.test(name) ? name : name.split('/').map(encodeURIComponent).join('/');

interface SarifText {
  readonly text: string;
}

interface SarifTaxonomy {
  readonly name: string;
  readonly isComprehensive: false;
  readonly taxa: readonly { readonly id: string; readonly name: string }[];
}

interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly kind: 'informational' | 'fail';
  readonly level: 'none' | 'warning' | 'error';
  readonly message: SarifText;
  readonly locations: readonly object[];
  readonly taxa: readonly object[];
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface SarifLog {
  readonly $schema: string;
  readonly version: '2.1.0';
  readonly runs: readonly {
    readonly tool: { readonly driver: object };
    readonly automationDetails: { readonly id: string };
    readonly invocations: readonly object[];
    readonly artifacts: readonly object[];
    readonly taxonomies: readonly SarifTaxonomy[];
    readonly results: readonly SarifResult[];
  }[];
}
