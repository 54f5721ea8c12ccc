import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { z } from 'zod';
import type { DataCard, KnownData } from '../contract/data-card.ts';
import type { KnownModel, ModelInspection } from '../contract/inspection.ts';
import { Normalisation } from '../contract/run.ts';
import { writeDurably } from '../jobs/durable-files.ts';
import { canonicalJson, sha256Of } from '../jobs/canonical-json.ts';
import { bundledFolder } from './path-names.ts';

const ModelNote = z.object({
  path: z.string(),
  sha256: z.string(),
  sizeBytes: z.number(),
  lastUsedAtMs: z.number(),
  classCount: z.int().nullable(),
  image: z.array(z.int()).nullable(),
  parameters: z.int().nullable(),
});

const DataNote = z.object({
  path: z.string(),
  format: z.string(),
  count: z.int(),
  classCount: z.int().nullable(),
  shape: z.array(z.int()),
  lastUsedAtMs: z.number(),
});

/** `library.json` of a workspace. A convenience: when it is damaged, it starts anew. */
const Stored = z.object({
  schema: z.literal('palimpsest.library/1'),
  models: z.array(ModelNote).default([]),
  data: z.array(DataNote).default([]),
  /** modelKey → what the user said about it. */
  words: z
    .record(
      z.string(),
      z.object({ classNames: z.array(z.string()).nullable(), normalisation: Normalisation.nullable() }),
    )
    .default({}),
});
type Stored = z.infer<typeof Stored>;

export type ModelWords = Stored['words'][string];

/** What tells model files apart, wherever they lie. */
export type HashedFile = Pick<ModelInspection['file'], 'sha256' | 'weights'>;

/** The hash of the file, or of all files where the weights stand in others: networks of one graph are not one model. */
const modelKey = ({ sha256, weights }: HashedFile): string =>
  Object.keys(weights).length === 0 ? sha256 : sha256Of(canonicalJson({ sha256, weights }));

/** Models and data that this workspace has met. */
export interface Library {
  models(): KnownModel[];
  data(): KnownData[];
  noteModel(inspection: ModelInspection, atMs: number): void;
  noteData(card: DataCard, atMs: number): void;
  wordsOf(model: HashedFile): ModelWords;
  /** What is not given stays as it is. */
  annotateModel(model: HashedFile, words: { [K in keyof ModelWords]?: ModelWords[K] | undefined }): void;
}

const keptOf = 200;
const noWords: ModelWords = { classNames: null, normalisation: null };

export function openLibrary(workspaceDir: string): Library {
  const file = join(workspaceDir, 'library.json');
  let stored = readStored(file);
  const save = (changed: Partial<Stored>): void => {
    stored = { ...stored, ...changed };
    writeDurably(file, [new TextEncoder().encode(`${JSON.stringify(stored)}\n`)]);
  };
  const uploads = join(workspaceDir, 'uploads');
  return {
    models() {
      const noted = new Map(stored.models.map((note) => [note.path, note]));
      const bundled = bundledModels().filter((path) => !noted.has(path));
      const rows = [...stored.models, ...bundled.map((path) => ({ path }))];
      return rows.map((row): KnownModel => {
        const note = noted.get(row.path);
        const words = note && stored.words[note.sha256];
        const origin = row.path.startsWith(bundledFolder)
          ? 'bundled'
          : row.path.startsWith(uploads)
            ? 'uploaded'
            : 'opened';
        return {
          path: row.path,
          name: basename(row.path),
          origin,
          sizeBytes: note?.sizeBytes ?? statSync(row.path, { throwIfNoEntry: false })?.size ?? 0,
          sha256: note?.sha256 ?? null,
          lastUsedAtMs: note?.lastUsedAtMs ?? null,
          classCount: note?.classCount ?? null,
          image: note?.image ?? null,
          parameters: note?.parameters ?? null,
          classNames: words?.classNames ?? null,
          normalisation: words?.normalisation ?? null,
          isMissing: !existsSync(row.path),
        };
      });
    },
    data: () =>
      stored.data.map((note): KnownData => ({
        ...note,
        name: basename(note.path),
        origin: note.path.startsWith(uploads) ? 'uploaded' : 'opened',
        isMissing: !existsSync(note.path),
      })),
    noteModel({ file: { path, sizeBytes, ...hashed }, classifier }, atMs) {
      const image = classifier && [classifier.image.channels, classifier.image.height, classifier.image.width];
      const note = {
        path,
        sha256: modelKey(hashed),
        sizeBytes,
        lastUsedAtMs: atMs,
        classCount: classifier?.classCount ?? null,
        image,
        parameters: classifier?.parameters.count ?? null,
      };
      save({ models: [note, ...stored.models.filter((each) => each.path !== path)].slice(0, keptOf) });
    },
    noteData({ path, format, count, classes, shape }, atMs) {
      const note = { path, format, count, classCount: classes?.length ?? null, shape, lastUsedAtMs: atMs };
      save({ data: [note, ...stored.data.filter((each) => each.path !== path)].slice(0, keptOf) });
    },
    wordsOf: (model) => stored.words[modelKey(model)] ?? noWords,
    annotateModel(model, { classNames, normalisation }) {
      const key = modelKey(model);
      const before = stored.words[key] ?? noWords;
      const after = {
        classNames: classNames === undefined ? before.classNames : classNames,
        normalisation: normalisation === undefined ? before.normalisation : normalisation,
      };
      save({ words: { ...stored.words, [key]: after } });
    },
  };
}

const bundledModels = (): string[] =>
  readdirSync(bundledFolder)
    .filter((name) => extname(name) === '.onnx')
    .map((name) => join(bundledFolder, name));

function readStored(file: string): Stored {
  const empty: Stored = { schema: 'palimpsest.library/1', models: [], data: [], words: {} };
  if (!existsSync(file)) return empty;
  try {
    return Stored.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data ?? empty;
  } catch {
    // A list of what was used lately is not worth an error; runs keep their own references.
    return empty;
  }
}
