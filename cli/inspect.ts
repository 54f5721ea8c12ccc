import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { ModelInspection } from '../core/contract/inspection.ts';
import { DataRef } from '../core/contract/run.ts';
import { SanityReading } from '../core/contract/sanity.ts';
import type { MeasuredSpeed } from '../core/inspect/inspect.ts';
import type { Inspection } from '../core/inspect/inspection.ts';
import { describeMachine } from '../core/jobs/environment.ts';
import type { Flag } from './arguments.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { debugFlag, helpFlag, jsonFlag, workspaceFlag } from './flags.ts';
import { inspectionText } from './inspect-text.ts';
import { dimsFlag, modelPath, readDims } from './model-file.ts';
import { noteError } from './report-error.ts';
import type { Verb } from './verb.ts';
import { workspaceFolder } from './workspace.ts';

const dataFlag: Flag = {
  name: 'data',
  value: 'DIR|FILE',
  help: 'A few labelled images: says how the model does on them under each pre-processing that is usual.',
};

export const inspect: Verb = {
  name: 'inspect',
  summary: 'Say what a model file is, what it costs and what can be done with it.',
  help: {
    title: 'palimpsest inspect: what a model file is, what it costs and what can be done with it.',
    usage: ['palimpsest inspect MODEL [flags]'],
    examples: [
      ['the bundled teacher', 'palimpsest inspect bundled:lenet5-mnist'],
      ['for a program', 'palimpsest inspect model.onnx --json'],
      ['which pre-processing was it made for?', 'palimpsest inspect model.onnx --data labelled-images'],
      ['a model of free image size', 'palimpsest inspect model.onnx --dims height=224,width=224'],
    ],
    text: [
      'Nothing is run, unless --data is given.',
      'Pre-processing is looked for in preprocessor_config.json and config.json beside the model and in its metadata. ' +
        'Times are estimates from what `palimpsest doctor` measured in this workspace. Exit code 3 says that the file is ' +
        'no image classifier that methods can use; what could be found out is printed all the same.',
    ],
    groups: [{ title: 'Flags', flags: [dimsFlag, dataFlag, workspaceFlag, jsonFlag, debugFlag, helpFlag] }],
  },
  positionals: ['MODEL'],
  async run(args, here) {
    const path = modelPath(args.positionals[0] ?? '', here.cwd);
    const dims = readDims(args);
    const { openModelFile } = await import('../core/inspect/open-file.ts');
    const { fixDimensions } = await import('../core/onnx/dimensions.ts');
    const { inspectModel } = await import('../core/inspect/inspect.ts');
    const { findNameFiles, findPreprocessingFiles } = await import('../core/inspect/preprocessing-files.ts');
    const { model, file } = await openModelFile(path);
    const found = inspectModel(fixDimensions(model, dims), {
      file,
      settings: findPreprocessingFiles(path),
      nameFiles: findNameFiles(path),
      speed: measuredSpeed(workspaceFolder(args, here)),
    });
    const [error] = found.problems;
    const data = args.text('data');
    const sanity =
      data === undefined || error ? undefined : await tryPreprocessings(path, resolve(here.cwd, data), found);
    if (args.isOn('json')) {
      const parts = { ...found, ...(sanity ? { sanity } : {}), ...(error ? { error } : {}) };
      here.terminal.write(`${JSON.stringify(parts)}\n`);
    } else here.terminal.write(inspectionText(here.terminal, found, sanity));
    for (const problem of found.problems) noteError(here.terminal, problem);
    return error ? exitCodeOf(error.code) : exitCodes.ok.code;
  },
};

/** As the card of a model in the window does. */
async function tryPreprocessings(path: string, data: string, found: Inspection): Promise<SanityReading> {
  const { lookApart } = await import('../core/service/apart.ts');
  const { foundNormalisation } = await import('../core/service/complete-models.ts');
  const { defaultThreads } = await import('../core/runtime/device.ts');
  const said = foundNormalisation(ModelInspection.parse(found));
  const command = {
    kind: 'sanity' as const,
    path,
    data: DataRef.parse({ path: data }),
    count: 200,
    also: said ? [{ title: `Found in ${said.source}`, normalisation: said.normalisation }] : [],
    threads: defaultThreads(),
    ...(found.classNames ? { classNames: [...found.classNames.value] } : {}),
  };
  return SanityReading.parse(await lookApart(command));
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
