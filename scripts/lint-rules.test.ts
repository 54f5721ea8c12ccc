import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

/** [file, what it holds, the rule that must complain]; no rule: the linter must have nothing to say. */
type Case = readonly [path: string, text: string, rule?: string];

const importing = (from: string): string => `import { x } from '${from}';\nexport const y = x;\n`;
const imports = 'no-restricted-imports';

const cases: readonly Case[] = [
  // Who may import what.
  ['core/base/a.ts', importing('./b.ts')],
  ['core/base/a.ts', importing('zod'), imports],
  ['core/base/a.ts', importing('node:fs'), imports],
  ['core/base/a.ts', importing('../onnx/graph.ts'), imports],
  ['core/contract/a.ts', importing('zod')],
  ['core/contract/a.ts', importing('../base/errors.ts')],
  ['core/contract/a.ts', importing('node:fs'), imports],
  ['core/contract/a.ts', importing('fflate'), imports],
  ['core/contract/a.ts', importing('../methods/define.ts'), imports],
  ['core/methods/some/spec.ts', importing('../define.ts')],
  ['core/methods/some/spec.ts', importing('node:fs'), imports],
  ['core/methods/some/spec.ts', importing('./run.ts'), imports],
  ['core/methods/some/spec.ts', importing('../registry.ts'), imports],
  ['core/methods/some/report.ts', importing('../../report/document.ts')],
  ['core/methods/some/report.ts', importing('../../metrics/psnr.ts'), imports],
  ['core/methods/catalogue.ts', importing('./some/spec.ts')],
  ['core/methods/catalogue.ts', importing('./some/run.ts'), imports],
  ['core/report/a.ts', importing('d3-scale')],
  ['core/report/a.ts', importing('node:fs'), imports],
  ['core/report/a.ts', importing('../runtime/session.ts'), imports],
  ['core/onnx/proto/a.ts', importing('../../base/errors.ts')],
  ['core/onnx/proto/a.ts', importing('../../autodiff/builder.ts'), imports],
  ['core/onnx/a.ts', importing('onnxruntime-node'), imports],
  ['core/autodiff/rules/Gemm.ts', importing('../../onnx/graph.ts')],
  ['core/autodiff/rules/Gemm.ts', importing('../../runtime/session.ts'), imports],
  ['core/autodiff/a.ts', importing('node:fs'), imports],
  ['core/runtime/a.ts', importing('onnxruntime-node')],
  ['core/runtime/a.ts', importing('../autodiff/builder.ts')],
  ['core/runtime/a.ts', importing('../train/loop.ts'), imports],
  ['core/data/a.ts', importing('../train/loop.ts'), imports],
  ['core/metrics/a.ts', importing('../methods/define.ts'), imports],
  ['core/train/a.ts', importing('../metrics/accuracy.ts')],
  ['core/train/a.ts', importing('../inspect/verify.ts'), imports],
  ['core/inspect/a.ts', importing('../train/cost.ts')],
  ['core/inspect/a.ts', importing('../train/losses.ts'), imports],
  ['core/inspect/a.ts', importing('../data/safetensors.ts'), imports],
  ['core/train/a.ts', importing('../methods/some/run.ts'), imports],
  ['core/attacks/a.ts', importing('../train/cost.ts')],
  ['core/attacks/a.ts', importing('../train/losses.ts'), imports],
  ['core/attacks/a.ts', importing('../methods/define.ts'), imports],
  ['core/attacks/catalogue-a.ts', importing('./catalogue-kinds.ts')],
  ['core/attacks/catalogue-a.ts', importing('./victim.ts'), imports],
  ['core/train/a.ts', importing('../attacks/shell.ts'), imports],
  ['core/methods/some/spec.ts', importing('../../attacks/catalogue.ts')],
  ['core/methods/some/spec.ts', importing('../../attacks/shell.ts'), imports],
  ['core/leakage/a.ts', importing('../train/losses.ts')],
  ['core/leakage/a.ts', importing('../data/dataset.ts'), imports],
  ['core/leakage/a.ts', importing('../methods/some/run.ts'), imports],
  ['core/train/a.ts', importing('../leakage/victim.ts'), imports],
  ['core/methods/some/run.ts', importing('../../train/loop.ts')],
  ['core/methods/some/run.ts', importing('./spec.ts')],
  ['core/methods/some/run.ts', importing('../other/run.ts'), imports],
  ['core/methods/some/run.ts', importing('../../store/open.ts'), imports],
  ['core/methods/some/run.ts', importing('../../jobs/host.ts'), imports],
  ['core/methods/some/run.ts', importing('../../leakage/victim.ts')],
  ['main/a.ts', importing('electron')],
  ['main/a.ts', importing('../core/service/service.ts')],
  ['main/a.ts', importing('../core/runtime/child-process.ts')],
  ['main/a.ts', importing('../core/runtime/session.ts'), imports],
  ['main/a.ts', importing('../core/methods/registry.ts'), imports],
  ['main/a.ts', importing('../renderer/app/routes.ts'), imports],
  ['preload/index.ts', importing('electron')],
  ['preload/index.ts', importing('../core/contract/channels.ts')],
  ['preload/index.ts', importing('../core/contract/bridge.ts'), imports],
  ['preload/index.ts', importing('node:fs'), imports],
  ['preload/index.ts', importing('zod'), imports],
  ['core/store/a.ts', importing('better-sqlite3')],
  ['core/store/a.ts', importing('../methods/define.ts'), imports],
  ['core/store/a.ts', importing('../runtime/session.ts'), imports],
  ['core/jobs/host.ts', importing('../methods/registry.ts')],
  ['core/jobs/client.ts', importing('../methods/registry.ts'), imports],
  ['core/jobs/prepare.ts', "import type { X } from '../methods/registry.ts';\nexport const f = (x: X): X => x;\n"],
  ['core/jobs/client.ts', importing('../runtime/session.ts'), imports],
  ['core/jobs/host.ts', importing('../store/open.ts'), imports],
  ['core/jobs/client.ts', importing('better-sqlite3'), imports],
  ['cli/a1.ts', importing('../core/store/open.ts')],
  ['cli/a2.ts', importing('electron'), imports],
  ['cli/a3.ts', importing('../renderer/a.ts'), imports],
  ['core/train/a.test.ts', importing('../../core/methods/some/run.ts')],
  ['core/train/a.test.ts', importing('electron'), imports],
  ['main/a.ts', importing('electron')],
  // Time and randomness.
  ['core/train/a.ts', 'export const x = Math.random();\n', 'no-restricted-properties'],
  ['core/train/a.ts', 'export const x = Date.now();\n', 'no-restricted-properties'],
  ['core/jobs/a.ts', 'export const x = performance.now();\n', 'no-restricted-properties'],
  ['core/base/clock.ts', 'export const x = Date.now();\n'],
  // Form.
  ['cli/a4.ts', 'export default 1;\n', 'no-default-export'],
  ['cli/a5.ts', "export * from './b.ts';\n", 'no-barrel-file'],
  ['cli/someFile.ts', 'export const x = 1;\n', 'filename-case'],
  ['cli/a6.ts', 'export {};\n'.repeat(401), 'max-lines'],
  ['cli/a7.ts', 'export const x: any = 1;\n', 'no-explicit-any'],
  ['cli/a8.ts', "import { X } from './b.ts';\nexport const x = (y: X): X => y;\n", 'consistent-type-imports'],
  // With types.
  [
    'cli/a9.ts',
    'const f = async (): Promise<void> => {};\nexport const g = (): void => {\n  f();\n};\n',
    'no-floating-promises',
  ],
  ['cli/a10.ts', 'export const g = async (): Promise<void> => {\n  await 1;\n};\n', 'await-thenable'],
  [
    'cli/a11.ts',
    'export const g = (f: () => Promise<boolean>): number => {\n  if (f()) return 1;\n  return 0;\n};\n',
    'no-misused-promises',
  ],
  [
    'cli/a12.ts',
    "export const g = (x: 'a' | 'b'): void => {\n  switch (x) {\n    case 'a':\n      break;\n  }\n};\n",
    'switch-exhaustiveness-check',
  ],
  ['cli/a13.ts', 'export const g = (x: unknown): string => x as string;\n', 'no-unsafe-type-assertion'],
  ['cli/a.test.ts', "import { it } from 'node:test';\n\nit('is a test', () => {});\n"],
  ['cli/ring-a.ts', "import { b } from './ring-b.ts';\nexport const a = (): number => b();\n", 'no-cycle'],
  ['cli/ring-b.ts', "import { a } from './ring-a.ts';\nexport const b = (): number => a();\n", 'no-cycle'],
];

interface Complaint {
  readonly code: string;
  readonly filename: string;
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Lints files in a folder of their own with the project's configuration; path → names of the rules broken. */
function lint(home: string, files: ReadonlyMap<string, string>): Map<string, string[]> {
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  };
  const compilerOptions = { strict: true, module: 'nodenext', noEmit: true, allowImportingTsExtensions: true };
  write('.oxlintrc.json', readFileSync(join(root, '.oxlintrc.json'), 'utf8'));
  write('tsconfig.json', JSON.stringify({ compilerOptions: { ...compilerOptions, types: ['node'] } }));
  symlinkSync(join(root, 'node_modules'), join(home, 'node_modules'), 'junction');
  for (const [path, text] of files) write(path, text);
  const oxlint = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint');
  const { stdout, stderr } = spawnSync(process.execPath, [oxlint, '-f', 'json'], { cwd: home, encoding: 'utf8' });
  assert.match(stdout, /^\{/, `the linter did not answer: ${stdout}${stderr}`);
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: Complaint[] };
  const rulesIn = (path: string): string[] =>
    diagnostics
      .filter(({ filename }) => filename.split(sep).join('/').endsWith(path))
      .map(({ code }) => /\((.+)\)/.exec(code)?.[1] ?? code);
  return new Map([...files.keys()].map((path) => [path, rulesIn(path)]));
}

describe('the linter, as .oxlintrc.json sets it up', () => {
  // Cases for the same path go to different batches; a batch is one run of the linter.
  const batches: Map<string, string>[] = [];
  const batchOf = cases.map(([path, text]) => {
    const free = batches.findIndex((batch) => !batch.has(path));
    const index = free === -1 ? batches.push(new Map()) - 1 : free;
    batches[index]?.set(path, text);
    return index;
  });
  let folder = '';
  let answers: readonly Map<string, string[]>[] = [];

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'palimpsest-lint-'));
    answers = batches.map((batch, index) => lint(join(folder, String(index)), batch));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  cases.forEach(([path, text, rule], index) => {
    it(`${rule === undefined ? 'accepts' : `answers ${rule} to`} ${path}: ${text.split('\n')[0]?.slice(0, 60)}`, () => {
      const rules = answers[batchOf[index] ?? -1]?.get(path) ?? [];
      if (rule === undefined) assert.deepEqual(rules, []);
      else assert.ok(rules.includes(rule), `complaints: ${rules.join(', ') || 'none'}`);
    });
  });
});
