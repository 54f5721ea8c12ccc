// Puts onnxruntime's CUDA 13 provider beside the Node binding: `npm run gpu:cuda`, or `npm run gpu:cuda -- FILE.tgz`
// with the package fetched elsewhere. The provider is not in onnxruntime-node, and its own installer asks a third place.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const name = 'com.github.asus4.onnxruntime.linux-x64-gpu';
const version = '0.4.9';
const integrity = 'sha512-FopIhNE/Ng+v2X65wVc9clPCBCvhvA53Hxo2U0Kf5fGdVsC7iCA+mZ0KLWggcQAj7TIZ6pNidR4AC10g74Xo6w==';
/** The release of onnxruntime that the provider was built with; another one would crash on loading it. */
const onnxruntime = '1.29.0';
const files = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];

/** @param {string} message */
function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

if (process.platform !== 'linux' || process.arch !== 'x64') {
  stop(`CUDA is offered on Linux x64, this is ${process.platform} ${process.arch}.`);
}
const manifest = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
const found = JSON.parse(readFileSync(manifest, 'utf8')).version;
if (found !== onnxruntime)
  stop(`Expected onnxruntime-node ${onnxruntime}, got ${found}: this provider does not fit it.`);

const folder = mkdtempSync(join(tmpdir(), 'palimpsest-cuda-'));
try {
  const given = process.argv[2];
  if (given === undefined) {
    process.stdout.write(`Fetching ${name}@${version} from the npm registry (180 MB)\n`);
    execFileSync('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', folder], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const archive = given === undefined ? join(folder, readdirSync(folder)[0] ?? '') : resolve(given);
  const digest = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (digest !== integrity) stop(`${archive}: expected ${integrity}, got ${digest}. Fetch ${name}@${version} again.`);
  execFileSync('tar', ['-xzf', archive, '-C', folder]);
  const target = join(dirname(manifest), 'bin', 'napi-v6', 'linux', 'x64');
  for (const file of files) {
    const partial = join(target, `.${file}.partial`);
    copyFileSync(join(folder, 'package', 'Plugins', 'Linux', 'x64', file), partial);
    renameSync(partial, join(target, file));
  }
  process.stdout.write(
    `Installed in ${target}\nCUDA 13 and cuDNN 9 must be on the library path. Check with: npx palimpsest doctor\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
