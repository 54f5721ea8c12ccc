import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { stream } from '../core/base/rng.ts';
import { GraphBuilder } from '../core/autodiff/builder.ts';
import { tickingClock } from '../core/jobs/testing/toy-workspace.ts';
import { catalogue } from '../core/methods/catalogue.ts';
import { houseModel, writeModel } from '../core/onnx/write.ts';
import { architectures } from '../core/train/zoo/architectures.ts';
import { runProgram } from './program.ts';
import { fakeTerminal } from './testing/call-program.ts';

/** Files that people really hand over, given to every method that takes a teacher. */
const teacherMethods = catalogue.filter((spec) => 'teacher' in spec.models);

const folder = mkdtempSync(join(tmpdir(), 'palimpsest-bad-'));
const at = (name: string): string => join(folder, name);

function lenet(classes: number): Uint8Array {
  const architecture = architectures['lenet5'];
  assert.ok(architecture);
  return writeModel(architecture.build({ channels: 1, height: 28, width: 28, classes, seed: 1 }));
}

/** A classifier of one layer: `flat` inputs have no image shape, a NaN weight makes it useless. */
function oneLayer(input: readonly number[], weight: number): Uint8Array {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', input);
  const size = input.slice(1).reduce((a, b) => a * b, 1);
  const weights = Array<number>(size * 3).fill(weight);
  g.output('logits', g.matmul(g.flatten(x), g.floats([size, 3], weights)));
  return writeModel(houseModel(g.build('one-layer')));
}

/** As many channels as classes, but one answer for each pixel. */
function featureMap(): Uint8Array {
  const g = new GraphBuilder();
  g.output('map', g.relu(g.input('x', 'float32', [1, 3, 28, 28])));
  return writeModel(houseModel(g.build('map')));
}

/** Two images of side × side with these labels, as MNIST stores them. */
function writeIdx(name: string, side: number, labels: readonly number[]): void {
  mkdirSync(at(name));
  const head = (...numbers: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(4 * numbers.length);
    numbers.forEach((number, i) => bytes.writeUInt32BE(number, 4 * i));
    return bytes;
  };
  const images = [head(0x803, labels.length, side, side), Buffer.alloc(labels.length * side * side, 7)];
  writeFileSync(join(at(name), 't10k-images-idx3-ubyte'), Buffer.concat(images));
  writeFileSync(
    join(at(name), 't10k-labels-idx1-ubyte'),
    Buffer.concat([head(0x801, labels.length), Buffer.from(labels)]),
  );
}

before(() => {
  const whole = lenet(10);
  writeFileSync(at('whole.onnx'), whole);
  writeFileSync(at('truncated.onnx'), whole.subarray(0, 3000));
  writeFileSync(at('three.onnx'), lenet(3));
  writeFileSync(at('map.onnx'), featureMap());
  writeFileSync(at('text.onnx'), 'this is no model\n');
  writeFileSync(at('flat.onnx'), oneLayer([1, 20], 0.5));
  writeFileSync(at('nan.onnx'), oneLayer([1, 1, 8, 8], Number.NaN));
  writeIdx('other-size', 20, [1, 2]);
  writeIdx('other-classes', 28, [3, 99]);
});
after(() => rmSync(folder, { recursive: true, force: true }));

const cases: readonly (readonly [string, readonly string[], number, RegExp])[] = [
  ['a text as teacher', ['--teacher', 'text.onnx'], 3, /text\.onnx.*\[MODEL_UNREADABLE\]\nhint: \S/],
  ['a truncated teacher', ['--teacher', 'truncated.onnx'], 3, /truncated\.onnx.*\[MODEL_UNREADABLE\]\nhint: \S/],
  ['a teacher without images as input', ['--teacher', 'flat.onnx'], 3, /image input.*\[MODEL_UNSUITABLE\]\nhint: \S/],
  [
    'a teacher without logits',
    ['--teacher', 'map.onnx'],
    3,
    /map\.onnx.*expected logits.*\[MODEL_UNSUITABLE\]\nhint: \S/,
  ],
  [
    'a student of other classes',
    ['--teacher', 'whole.onnx', '--student', 'three.onnx'],
    3,
    /three\.onnx.*3 classes, expected 10 \[MODEL_UNSUITABLE\]\nhint: \S/,
  ],
  ['NaN in the weights', ['--teacher', 'nan.onnx'], 3, /finite weights.*\[MODEL_NOT_FINITE\]\nhint: \S/],
  ['images of another size', ['--teacher', 'whole.onnx', '--test', 'other-size'], 4, /20.*\[DATA_UNSUITABLE\]/],
  ['labels out of range', ['--teacher', 'whole.onnx', '--test', 'other-classes'], 4, /99.*\[DATA_UNSUITABLE\]/],
];

for (const spec of teacherMethods) {
  describe(`${spec.id} with bad files`, () => {
    for (const [name, flags, exitCode, message] of cases) {
      it(`refuses ${name}, and leaves nothing half-written`, async () => {
        const terminal = fakeTerminal();
        const now = tickingClock();
        const code = await runProgram(['run', spec.id, ...flags, '--threads', '1', '--device', 'cpu', '--quiet'], {
          terminal,
          cwd: folder,
          env: {},
          now,
          elapsed: now,
          random: stream(exitCode, name).uniform,
          specs: catalogue,
          onInterrupt: () => () => {},
        });
        assert.match(terminal.err, message);
        assert.equal(code, exitCode);
        assert.equal(terminal.out, '');
        const files = readdirSync(folder, { recursive: true }).map(String);
        assert.deepEqual(
          files.filter((file) => /\.tmp|report\.|artifacts./.test(file)),
          [],
        );
      });
    }
  });
}
