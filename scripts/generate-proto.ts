/**
 * Makes core/onnx/proto/onnx_pb.generated.ts from onnx.proto, with the local buf and protoc-gen-es.
 * `--check` only compares and exits with 1 when the kept file is out of date.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'core/onnx/proto');
const kept = join(folder, 'onnx_pb.generated.ts');
const tools = join(root, 'node_modules');

function generate(): string {
  const work = mkdtempSync(join(tmpdir(), 'palimpsest-proto-'));
  try {
    const template = {
      version: 'v2',
      plugins: [
        {
          local: [process.execPath, join(tools, '@bufbuild/protoc-gen-es/bin/protoc-gen-es')],
          out: work,
          opt: ['target=ts', 'import_extension=ts'],
        },
      ],
    };
    execFileSync(
      process.execPath,
      [join(tools, '@bufbuild/buf/bin/buf'), 'generate', folder, '--template', JSON.stringify(template)],
      { cwd: work, stdio: 'inherit', env: { ...process.env, BUF_CACHE_DIR: join(work, 'cache') } },
    );
    const file = join(work, 'onnx_pb.ts');
    const prettier = join(tools, 'prettier/bin/prettier.cjs');
    execFileSync(process.execPath, [prettier, '--config', join(root, '.prettierrc.json'), '--write', file]);
    return readFileSync(file, 'utf8');
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const made = generate();
if (!process.argv.includes('--check')) {
  writeFileSync(kept, made);
} else if (made !== readFileSync(kept, 'utf8')) {
  console.error(`${kept} is out of date: run scripts/generate-proto.ts without --check and commit what it makes`);
  process.exitCode = 1;
}
