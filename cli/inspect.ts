import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { MeasuredSpeed } from '../core/inspect/inspect.ts';
import { describeMachine } from '../core/jobs/environment.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { debugFlag, helpFlag, jsonFlag, workspaceFlag } from './flags.ts';
import { inspectionText } from './inspect-text.ts';
import { dimsFlag, modelPath, readDims } from './model-file.ts';
import { noteError } from './report-error.ts';
import type { Verb } from './verb.ts';
import { workspaceFolder } from './workspace.ts';

export const inspect: Verb = {
  name: 'inspect',
  summary: 'Say what a model file is, what it costs and what can be done with it.',
  help: {
    title: 'palimpsest inspect: what a model file is, what it costs and what can be done with it. Nothing is run.',
    usage: ['palimpsest inspect MODEL [flags]'],
    examples: [
      ['the bundled teacher', 'palimpsest inspect bundled:lenet5-mnist'],
      ['for a program', 'palimpsest inspect model.onnx --json'],
      ['a model of free image size', 'palimpsest inspect model.onnx --dims height=224,width=224'],
    ],
    text: [
      'Pre-processing is looked for in preprocessor_config.json and config.json beside the model and in its metadata. ' +
        'Times are estimates from what `palimpsest doctor` measured in this workspace. Exit code 3 says that the file is ' +
        'no image classifier that methods can use; what could be found out is printed all the same.',
    ],
    groups: [{ title: 'Flags', flags: [dimsFlag, workspaceFlag, jsonFlag, debugFlag, helpFlag] }],
  },
  positionals: ['MODEL'],
  async run(args, here) {
    const path = modelPath(args.positionals[0] ?? '', here.cwd);
    const dims = readDims(args);
    const { readModelFile } = await import('../core/onnx/read.ts');
    const { fixDimensions } = await import('../core/onnx/dimensions.ts');
    const { inspectModel } = await import('../core/inspect/inspect.ts');
    const { findPreprocessingFiles } = await import('../core/inspect/preprocessing-files.ts');
    const { model, hasExternalData } = readModelFile(path);
    const file = { path, sizeBytes: statSync(path).size, sha256: await sha256Of(path), hasExternalData };
    const found = inspectModel(fixDimensions(model, dims), {
      file,
      settings: findPreprocessingFiles(path),
      speed: measuredSpeed(workspaceFolder(args, here)),
    });
    const [error] = found.problems;
    if (args.isOn('json')) here.terminal.write(`${JSON.stringify(error ? { ...found, error } : found)}\n`);
    else here.terminal.write(inspectionText(here.terminal, found));
    for (const problem of found.problems) noteError(here.terminal, problem);
    return error ? exitCodeOf(error.code) : exitCodes.ok.code;
  },
};

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest('hex');
}

const Machine = z.object({
  cpu: z.string(),
  speed: z.array(z.object({ device: z.string(), threads: z.int(), gflops: z.number().positive() })),
});

/** What `doctor` measured on this processor with the most threads; undefined when it did not. */
function measuredSpeed(workspaceDir: string): MeasuredSpeed | undefined {
  let text: string;
  try {
    text = readFileSync(join(workspaceDir, 'machine.json'), 'utf8');
  } catch {
    return undefined;
  }
  try {
    const { data } = Machine.safeParse(JSON.parse(text));
    if (data?.cpu !== describeMachine().cpu) return undefined;
    const onCpu = data.speed.filter(({ device }) => device === 'cpu');
    return onCpu.toSorted((a, b) => b.threads - a.threads)[0];
  } catch {
    return undefined;
  }
}
