import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { toWorkbenchError, WorkbenchError } from '../core/base/errors.ts';
import type { GradientModel, Port } from '../core/inspect/gradient-model.ts';
import { writeDurably } from '../core/jobs/durable-files.ts';
import { formatBytes } from '../core/report/format.ts';
import type { Arguments } from './arguments.ts';
import { exitCodes } from './exit-codes.ts';
import { debugFlag, helpFlag, jsonFlag } from './flags.ts';
import { dimsFlag, modelPath, readDims } from './model-file.ts';
import { choice } from './request.ts';
import { shortPath } from './result.ts';
import { columnsOf } from './terminal.ts';
import type { Verb } from './verb.ts';

export const gradient: Verb = {
  name: 'gradient',
  summary: 'Write the gradient of a model as an ONNX file.',
  help: {
    title: 'palimpsest gradient: write the gradient of a model as an ordinary ONNX file.',
    usage: ['palimpsest gradient MODEL [--of WHAT] [--wrt WHAT] [--order 1|2] -o OUT.onnx'],
    examples: [
      ['of the loss with respect to the images', 'palimpsest gradient model.onnx -o gradient.onnx'],
      [
        'with respect to the images and all parameters',
        'palimpsest gradient model.onnx --wrt input,parameters -o gradient.onnx',
      ],
      ['of the logit of a class, for attributions', 'palimpsest gradient model.onnx --of logit -o gradient.onnx'],
      ['of second order', 'palimpsest gradient model.onnx --order 2 -o gradient.onnx'],
    ],
    text: [
      'The file is made of standard operators and runs in any onnxruntime. It takes the images as the model does, under ' +
        'the same name, and for cross-entropy and logit the labels (int64 [N]). It gives loss (mean cross-entropy over ' +
        'the images), logit ([N]) or the value asked for, logits, dx (with respect to the input) and dp/NAME (with ' +
        'respect to an initialiser). The gradients of logit and of a value are those of the sum of its elements.',
      'Order 2 adds d2x, the gradient with respect to the input of dp_squared_norm, the sum of squares of the parameter ' +
        'gradients: of those named by --wrt, or of all.',
      'The batch is symbolic where that of the model is. An initialiser that is used in several places has one ' +
        'gradient, the sum over the places.',
    ],
    groups: [
      {
        title: 'Flags',
        flags: [
          {
            name: 'of',
            value: 'cross-entropy|logit|OUTPUT',
            help: 'What to differentiate; OUTPUT is any output or inner value of the model. Default: cross-entropy.',
          },
          {
            name: 'wrt',
            value: 'input|parameters|NAME,…',
            help: 'With respect to what, apart by commas: input, parameters (all of them), names of initialisers. Default: input.',
          },
          { name: 'order', value: '1|2', help: 'Order of the derivative. Default: 1.' },
          { name: 'output', short: 'o', value: 'OUT.onnx', help: 'Where to write. Required.' },
          { name: 'force', help: 'Write over a file that exists.' },
          dimsFlag,
          jsonFlag,
          debugFlag,
          helpFlag,
        ],
      },
    ],
  },
  positionals: ['MODEL'],
  async run(args, here) {
    const path = modelPath(args.positionals[0] ?? '', here.cwd);
    const output = outputPath(args, here.cwd, path);
    const order = choice(args, 'order', ['1', '2']) === '2' ? 2 : 1;
    const request = {
      of: args.text('of') ?? 'cross-entropy',
      wrt: wordsOf(args.text('wrt') ?? 'input'),
      order,
    } as const;
    const dims = readDims(args);
    const { checkFinite, loadModel } = await import('../core/onnx/read.ts');
    const { modelPieces } = await import('../core/onnx/write.ts');
    const { fixDimensions } = await import('../core/onnx/dimensions.ts');
    const { gradientModel } = await import('../core/inspect/gradient-model.ts');
    const model = await loadModel(path);
    checkFinite(model);
    const made = gradientModel(fixDimensions(model, dims), request);
    const pieces = modelPieces(made.model);
    write(output, pieces);
    const facts = { path: output, sizeBytes: pieces.reduce((sum, piece) => sum + piece.byteLength, 0) };
    if (args.isOn('json')) {
      const { inputs, outputs, notes, fixedBatch = null } = made;
      const { opset, irVersion } = made.model;
      const hash = createHash('sha256');
      for (const piece of pieces) hash.update(piece);
      const sha256 = hash.digest('hex');
      const result = { schema: 'palimpsest.gradient/1', ...facts, sha256, model: path, ...request, opset, irVersion };
      here.terminal.write(`${JSON.stringify({ ...result, fixedBatch, inputs, outputs, notes })}\n`);
    } else {
      here.terminal.write(gradientText(made, basename(path), shortPath(output, here.cwd), facts.sizeBytes));
    }
    return exitCodes.ok.code;
  },
};

function outputPath(args: Arguments, cwd: string, model: string): string {
  const text = args.text('output');
  if (text === undefined || text === '') {
    throw new WorkbenchError('USAGE', '`palimpsest gradient` needs --output OUT.onnx, and none was given', {
      hint: 'Add -o OUT.onnx.',
    });
  }
  const path = resolve(cwd, text);
  if (!existsSync(path)) return path;
  if (realpathSync(path) === realpathSync(model)) {
    throw new WorkbenchError('USAGE', `${text} is the model itself`, { hint: 'Choose another name with -o.' });
  }
  if (args.isOn('force')) return path;
  throw new WorkbenchError('USAGE', `${text} exists already`, { hint: 'Choose another name, or add --force.' });
}

function wordsOf(text: string): readonly string[] {
  const words = text.split(',').map((word) => word.trim());
  if (words.every((word) => word !== '')) return words;
  throw new WorkbenchError('PARAM_INVALID', `Flag --wrt: expected names apart by commas, got "${text}"`, {
    hint: 'For instance --wrt input,parameters.',
  });
}

function write(path: string, pieces: readonly Uint8Array[]): void {
  try {
    writeDurably(path, pieces);
  } catch (thrown) {
    const { code, message } = toWorkbenchError(thrown);
    // The hints of the history speak of runs.
    throw new WorkbenchError(code, message, { hint: 'Choose another place with -o.', cause: thrown });
  }
}

const shownPorts = 24;

function gradientText(made: GradientModel, model: string, output: string, sizeBytes: number): string {
  const rows = (ports: readonly Port[]): readonly string[][] => {
    const shown = ports.slice(0, shownPorts).map(({ name, dtype, shape, meaning }) => {
      const dims = shape.map((dim) => (dim === '' ? '?' : dim)).join(', ');
      return [`  ${name}`, `${dtype} [${dims}]`, meaning];
    });
    return ports.length <= shownPorts ? shown : [...shown, [`  … and ${ports.length - shownPorts} more`]];
  };
  const { irVersion, opset } = made.model;
  const batch = made.fixedBatch === undefined ? 'any batch size' : `batches of ${made.fixedBatch}`;
  const table = columnsOf([['Inputs'], ...rows(made.inputs), ['Outputs'], ...rows(made.outputs)]);
  const blocks = [
    [`Wrote ${output}: gradient of ${model}, ${formatBytes(sizeBytes)}, opset ${opset}, IR ${irVersion}, ${batch}`],
    table,
    made.notes,
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}
