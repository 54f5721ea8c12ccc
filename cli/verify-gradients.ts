import { basename, resolve } from 'node:path';
import { WorkbenchError } from '../core/base/errors.ts';
import type { Tensor } from '../core/base/tensor.ts';
import { DeviceName, deviceNames } from '../core/contract/run.ts';
import { defaultTolerances, type Tolerances } from '../core/inspect/tolerances.ts';
import type { Verification } from '../core/inspect/verify.ts';
import { formatNumber } from '../core/report/format.ts';
import type { Arguments, Flag } from './arguments.ts';
import { exitCodes } from './exit-codes.ts';
import { debugFlag, helpFlag, jsonFlag } from './flags.ts';
import { modelPath } from './model-file.ts';
import { choice, wholeNumber } from './request.ts';
import { columnsOf, paint, type Terminal } from './terminal.ts';
import type { Verb } from './verb.ts';

const toleranceNames = ['logits', 'dx', 'dp', 'd2x'] as const;

const toleranceHelp: Readonly<Record<keyof Tolerances, string>> = {
  logits: 'of logits and loss',
  dx: 'of the gradient with respect to the input',
  dp: 'of each gradient with respect to a parameter',
  d2x: 'of the second-order gradient',
};

const toleranceFlags: readonly Flag[] = toleranceNames.map((name) => ({
  name,
  value: 'NUMBER',
  help: `Largest relative L2 error ${toleranceHelp[name]}. Default: ${defaultTolerances[name].toExponential()}.`,
}));

export const verifyGradientsVerb: Verb = {
  name: 'verify-gradients',
  summary: 'Compare the gradients of a model with those made elsewhere.',
  help: {
    title: 'palimpsest verify-gradients: compare the gradients of a model with those made elsewhere.',
    usage: ['palimpsest verify-gradients MODEL REFERENCE.safetensors [flags]'],
    examples: [
      ['against what PyTorch says', 'palimpsest verify-gradients model.onnx model.safetensors'],
      ['more strictly, for a program', 'palimpsest verify-gradients model.onnx model.safetensors --dx 1e-5 --json'],
    ],
    text: [
      'The reference holds x (images as the model takes them, float32), label (int64), and any of: logits; loss, the mean ' +
        'cross-entropy; dx = ∂loss/∂x; dp/NAME = ∂loss/∂NAME for initialisers of the file; d2x = ∂/∂x Σ‖dp‖² over ' +
        'the dp that it has.',
      'Exporters merge parameters of equal content into one initialiser. Such a dp is compared at the first place where ' +
        'the initialiser is used, the other places being constant; else with the sum over all places, else with each ' +
        'of them; a note says which. d2x is taken from the same dp.',
      'Images may lie within rounding of a kink (a ReLU at zero, a tie in a max pool), where two correct programs take ' +
        'different sides. Where logits and loss agree and gradients nearly do, x is also moved by its rounding; if all ' +
        'tensors agree there they pass, and a note says so.',
      'Exit code 1 says that a tensor differs by more than its tolerance, or belongs to no initialiser.',
    ],
    groups: [
      { title: 'Tolerances', flags: toleranceFlags },
      {
        title: 'Flags',
        flags: [
          { name: 'device', value: deviceNames.join('|'), help: 'Where to compute. Default: cpu.' },
          { name: 'threads', value: 'NUMBER', help: 'Threads inside one operator, 1–256. Default: one per core.' },
          jsonFlag,
          debugFlag,
          helpFlag,
        ],
      },
    ],
  },
  positionals: ['MODEL', 'REFERENCE.safetensors'],
  async run(args, here) {
    const [modelText = '', referenceText = ''] = args.positionals;
    const path = modelPath(modelText, here.cwd);
    const tolerances = readTolerances(args);
    const { defaultThreads, resolveDevice } = await import('../core/runtime/device.ts');
    const { openLanes } = await import('../core/runtime/lanes.ts');
    const { compile } = await import('../core/runtime/session.ts');
    const { verifyGradients } = await import('../core/inspect/verify.ts');
    const { loadModel } = await import('../core/onnx/read.ts');
    const threads = wholeNumber(args, 'threads', 1, 256) ?? defaultThreads();
    const device = await resolveDevice(DeviceName.parse(choice(args, 'device', deviceNames) ?? 'cpu'));
    const reference = await readReference(resolve(here.cwd, referenceText));
    const model = await loadModel(path);
    // The file is not ours: what it does to onnxruntime happens in a process of its own.
    const [lane] = openLanes(1);
    let found: Verification;
    try {
      found = await verifyGradients(model, reference, {
        tolerances,
        open: (graph) => compile(graph, { device, threads, ...(lane ? { lane } : {}) }),
      });
    } finally {
      await lane?.close();
    }
    if (args.isOn('json')) {
      const facts = { schema: 'palimpsest.verification/1', model: path, reference: resolve(here.cwd, referenceText) };
      here.terminal.write(`${JSON.stringify({ ...facts, device, ...found })}\n`);
    } else here.terminal.write(verificationText(here.terminal, basename(path), found));
    return found.passed ? exitCodes.ok.code : exitCodes.different.code;
  },
};

function readTolerances(args: Arguments): Partial<Tolerances> {
  const given = toleranceNames.flatMap((name) => {
    const text = args.text(name);
    if (text === undefined) return [];
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= 0 && Number.isFinite(value)) return [[name, value]];
    throw new WorkbenchError('PARAM_INVALID', `Flag --${name}: expected a number of at least 0, got "${text}"`, {
      hint: `For instance --${name} 1e-4.`,
    });
  });
  return Object.fromEntries(given);
}

async function readReference(path: string): Promise<Record<string, Tensor>> {
  const { openSafetensors } = await import('../core/data/safetensors.ts');
  const file = await openSafetensors(path);
  try {
    const tensors: [string, Tensor][] = [];
    for (const name of file.entries.keys()) tensors.push([name, await file.read(name)]);
    return Object.fromEntries(tensors);
  } finally {
    await file.close();
  }
}

/** First word of the line of a tensor that does. */
const differs = 'differs';

function verificationText(terminal: Terminal, model: string, found: Verification): string {
  const rows = found.comparisons.map(({ name, relativeError, tolerance, passed, note }) => [
    passed ? 'ok' : differs,
    name,
    relativeError === null ? '–' : relativeError.toExponential(2),
    tolerance.toExponential(),
    note ?? '',
  ]);
  const wrong = found.comparisons.filter(({ passed }) => !passed).map(({ name }) => name);
  const verdict =
    wrong.length === 0
      ? `${model}: all ${formatNumber(rows.length)} tensors agree`
      : `${model}: ${formatNumber(wrong.length)} of ${formatNumber(rows.length)} tensors differ: ${listed(wrong)}`;
  const blocks = [
    columnsOf([['', 'Tensor', 'Relative error', 'Tolerance', ''], ...rows], [2, 3]).map((line) =>
      line.startsWith(differs) ? paint(terminal, 'red', line) : line,
    ),
    found.missing.length === 0 ? [] : [`Not in the reference, so not compared: ${found.missing.join(', ')}`],
    found.ignored.length === 0 ? [] : [`In the reference, but of no known name: ${listed(found.ignored)}`],
    [paint(terminal, wrong.length === 0 ? 'green' : 'red', verdict)],
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}

const listed = (names: readonly string[]): string =>
  names.length <= 6 ? names.join(', ') : `${names.slice(0, 6).join(', ')} and ${names.length - 6} more`;
