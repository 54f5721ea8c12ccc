import type { Limits } from '../core/onnx/validate/limits.ts';
import type { rules as allRules } from '../core/onnx/validate/rules.ts';

const intro = `# Hostile and broken files

<!-- made by scripts/generate-hostile-files-doc.ts from core/onnx/validate; do not edit -->

A model or data file comes from somewhere else. It can cost at most one child process, and nothing outside its own folder
is read on its behalf.

## What happens to a model file

1. **The file is opened once**, without waiting for pipes; what was looked at is what is read.
2. **Its wire format is walked** before anything is decoded: lengths, kinds, depth, counts, and what the whole would take
   once unpacked (\`core/onnx/validate/wire.ts\`).
3. **Names, domains, functions and the places of graphs** are checked on the messages (\`model-proto.ts\`, \`functions.ts\`).
4. **Tensors** are held against shape and type. Data in other files are opened without following links, on Linux each
   folder through the handle of the one before, so that nothing can be swapped between the look and the read
   (\`core/onnx/read/inside-folder.ts\`).
5. **Branches, loops and sizes of values** are worked out from the graph (\`control-flow.ts\`, \`memory.ts\`).
6. **onnxruntime gets a graph that we have written ourselves**, never the bytes of the file. The first time that a
   workspace sees a file, \`palimpsest run\` has this done in a process of its own, with limits on time, processor and
   memory (\`core/runtime/isolated-load.ts\`); the file runs once on zeros. That it harmed nothing is remembered by its
   SHA-256 in \`admitted-models.json\`, for this version of Palimpsest and onnxruntime. Bundled models are exempt; a model
   in several files is opened apart each time.

Unknown fields of the format are skipped: a newer exporter is no reason to refuse a file.
`;

const rulesIntro = `## Rules for model files

The id stands in the hint of the error and in \`details.rule\` of its JSON form. \`core/onnx/testing/bad-files/\` has three
or more files for each rule; \`node scripts/make-bad-files.ts FOLDER\` writes them.
`;

const rest = `## What happens to a process that opens a file

| Fate | Said to the user |
|---|---|
| passed | nothing |
| refused, by a rule or by onnxruntime | the error, as if it had been opened here |
| stopped for time, processor time or memory | which limit it was, and how high |
| ended by itself (abort, fault, exit) | the signal or exit code; the end of its output in \`details.probe\` |

Memory is watched from outside every 20 ms on Linux and macOS; a limit of the system (\`ulimit\`) lies below as a net. On
Windows there are the limits on time and on Node's own heap. The process sees nothing of the environment but what it
needs to start.

## Data files

| Format | Refused |
|---|---|
| IDX, gzipped or not | sizes that do not fit the file; more unpacked bytes than the header says, before they are unpacked |
| .npy, .npz | Python objects (pickles), records, lying shapes, more than 64 sizes; archives that claim more than deflate can pack, wrong checksums, encrypted or overlapping members |
| CIFAR | the pickled version; broken records; labels out of range |
| CSV | lines of different length, anything that is no number, pixels beyond 255, open quotes, zero bytes, UTF-16, lines above 32 MiB, more than 1 GiB of pixels, a label column that cannot be told |
| PNG, JPEG, WebP, TIFF, GIF | anything that begins otherwise (SVG, PDF and the other formats of the image library are never reached), more than 67 million pixels, files above 256 MiB |
| safetensors | headers above 16 MiB, overlaps, gaps, offsets outside the file, shape × type ≠ bytes |
| parameters as JSON | anything but a file of at most 1 MiB with one object of known names |

Errors quote names out of files without control or direction characters.

## Trying it again

| What | Command |
|---|---|
| each rule, each external-data attack, a swap of names under the reader's hands | \`npm test -- core/onnx/validate\` |
| a few thousand mutated models, and data files | \`npm test -- core/onnx/fuzz.test.ts core/data/fuzz.test.ts\` |
| a million mutated models through the reader, 20,000 through onnxruntime | \`node bench/fuzz-onnx.ts\` |
| thousands of mutated data files of each format, or of one | \`node bench/fuzz-data.ts [N] [FORMAT]\` |
| memory and time of files of 100 MB and 1.9 GB | \`node bench/open-large.ts\` |

The figures of the last long runs stand in [results.md](results.md).
`;

/** The text of docs/hostile-files.md. */
export function hostileFilesDoc(rules: typeof allRules, limits: Limits): string {
  return [
    intro,
    rulesIntro,
    '| Rule | Error | Asks |',
    '|---|---|---|',
    ...Object.entries(rules).map(([id, { code, asks }]) => `| \`${id}\` | \`${code}\` | ${asks} |`),
    '',
    '## Limits\n',
    '| Limit | Default |',
    '|---|---|',
    ...Object.entries(limits).map(([name, value]) => `| ${name} | ${Number(value).toLocaleString('en-US')} |`),
    '',
    rest,
  ].join('\n');
}
