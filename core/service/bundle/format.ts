import { z } from 'zod';
import { RunRequest, type RunEvent } from '../../contract/run.ts';

/**
 * A bundle is a zip file of runs. `manifest.json` names every other file with its size and SHA-256, `signature.txt` is
 * the Ed25519 signature of the manifest's bytes, base64. For each run there is `runs/ID/run.json` and
 * `runs/ID/events.jsonl` (what an import reads) and `runs/ID/report.html` and `.json` (what a reader without Palimpsest
 * reads); artifacts lie under their SHA-256.
 */
export const bundleExtension = '.palimpsest.zip';
export const manifestName = 'manifest.json';
export const signatureName = 'signature.txt';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const runId = z.string().regex(/^\d{8}-\d{6}-[0-9a-z]{4}$/);

/** No other name is taken, so that none can lead anywhere. */
const filePath = z
  .string()
  .regex(
    /^(README\.txt|artifacts\/[0-9a-f]{64}|runs\/\d{8}-\d{6}-[0-9a-z]{4}\/(run\.json|events\.jsonl|report\.(html|json)))$/,
  );

export const Manifest = z.strictObject({
  schema: z.literal('palimpsest.bundle/1'),
  palimpsest: z.string().max(100),
  /** Ed25519, SPKI in DER, base64. */
  publicKey: z.string().max(200),
  runs: z.array(runId).min(1).max(10_000),
  files: z.array(z.strictObject({ path: filePath, sizeBytes: z.int().min(0), sha256 })).max(100_000),
});
export type Manifest = z.infer<typeof Manifest>;

const jobId = z.string().regex(/^\d{8}-\d{6}-[0-9a-z]{4}\.\d{1,4}$/);

/** Of a run all that its events do not say. */
export const BundledRun = z.strictObject({
  runId,
  request: RunRequest,
  createdAtMs: z.int(),
  jobs: z.array(z.strictObject({ jobId, ordinal: z.int().positive(), createdAtMs: z.int() })).max(10_000),
  note: z.string().max(10_000),
  tags: z.array(z.string().min(1).max(50)).max(1000),
  groupId: z.string().max(100).nullable(),
});
export type BundledRun = z.infer<typeof BundledRun>;

export interface RunContent {
  readonly run: BundledRun;
  /** In order of job, then number. Read once, and checked on the way. */
  readonly events: Iterable<RunEvent>;
}

export const runFiles = (id: string) =>
  ({
    run: `runs/${id}/run.json`,
    events: `runs/${id}/events.jsonl`,
    html: `runs/${id}/report.html`,
    json: `runs/${id}/report.json`,
  }) as const;

export const artifactPath = (hash: string): string => `artifacts/${hash}`;

export const readme = `This is a bundle of runs of Palimpsest.

Take it in with \`palimpsest import FILE\`, or with Import on the page Runs of the window. Without Palimpsest, open
runs/*/report.html in any browser.

manifest.json names every file with its SHA-256. signature.txt is the Ed25519 signature of manifest.json by the key in
it (publicKey, SPKI in DER, base64). The signature says that nothing was changed since the owner of that key made the
bundle; whose key it is, compare with its owner: \`palimpsest import\` prints its fingerprint.
`;
