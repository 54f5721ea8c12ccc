import assert from 'node:assert/strict';
import { basename, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { WorkbenchError } from '../core/base/errors.ts';
import { catalogue } from '../core/methods/catalogue.ts';
import { commandArguments, commandLine, paramArguments } from '../core/methods/command-line.ts';
import { defineMethod, ui, type MethodSpec } from '../core/methods/define.ts';
import { parseArguments } from './arguments.ts';
import { methodFlags } from './flags.ts';
import { mergeParams } from './params.ts';
import { buildRequest } from './request.ts';
import { toySpec } from './testing/toy-spec.ts';

const spec: MethodSpec = toySpec;
const read = (argv: readonly string[]): ReturnType<typeof parseArguments> =>
  parseArguments(argv, methodFlags(spec), 'palimpsest run toy-count');
const params = (argv: readonly string[], recipe?: string, file?: Record<string, unknown>): Record<string, unknown> =>
  mergeParams(spec, { recipe, file: file && { name: 'run.json', json: file }, flags: read(argv) });
const where = { cwd: import.meta.dirname, defaultThreads: 2, architectures: ['lenet5', 'lenet5-half'] };
const fails = (code: string, text: RegExp, hint?: RegExp) => (thrown: unknown) => {
  assert.ok(thrown instanceof WorkbenchError);
  assert.equal(thrown.code, code);
  assert.match(thrown.message, text);
  if (hint) assert.match(thrown.hint ?? '', hint);
  return true;
};

describe('flags of a method', () => {
  it('has one flag per parameter, model and data role in kebab-case', () => {
    const names = methodFlags(spec).flatMap((group) => group.flags.map((flag) => flag.name));
    for (const name of [
      'step-size',
      'is-loud',
      'teacher',
      'student',
      'test',
      'test-split',
      'recipe',
      'params',
      'seed',
    ]) {
      assert.ok(names.includes(name), name);
    }
  });

  it('shows unit, range, default and source in the help of a parameter', () => {
    const flags = methodFlags(spec).flatMap((group) => group.flags);
    const help = (name: string): string | undefined => flags.find((flag) => flag.name === name)?.help;
    assert.equal(help('steps'), 'Steps (steps). How far. Default: 20; whole, from 0 to 1000000.');
    assert.equal(help('step-size'), 'Step size. Default: 0.5; above 0 and at most 100; source: paper.');
    assert.equal(flags.find((flag) => flag.name === 'mode')?.value, 'up|down|sideways');
  });

  it('reads every kind of value', () => {
    assert.deepEqual(
      params([
        '--step-size',
        '.25',
        '--mode=down',
        '--no-is-loud',
        '--scales',
        '-1,2e-1',
        '--width',
        '-3',
        '--limit',
        'none',
      ]),
      {
        ...spec.params.parse({}),
        stepSize: 0.25,
        mode: 'down',
        isLoud: false,
        scales: [-1, 0.2],
        width: -3,
      },
    );
  });

  it('lets flags win over the file, the file over the recipe, the recipe over the defaults', () => {
    assert.equal(params([])['steps'], 20);
    assert.equal(params([], 'quick')['steps'], 3);
    assert.equal(params([], 'quick', { steps: 4 })['steps'], 4);
    assert.equal(params(['--steps', '5'], 'quick', { steps: 4 })['steps'], 5);
    assert.equal(params([], 'quick', { steps: 4 })['isLoud'], false);
  });

  const bad: readonly (readonly [string, readonly string[], string, RegExp, RegExp?])[] = [
    ['an unknown flag', ['--setps', '3'], 'USAGE', /Unknown flag --setps/, /Did you mean --steps/],
    ['an unknown short flag', ['-x'], 'USAGE', /Unknown flag -x/],
    ['a negation of a flag with a value', ['--no-steps'], 'USAGE', /Unknown flag --no-steps/],
    ['a flag without its value', ['--steps'], 'USAGE', /--steps: expected NUMBER, got nothing/],
    ['a flag in the place of a value', ['--steps', '--json'], 'USAGE', /got the flag --json/],
    ['a value of a switch', ['--json=maybe'], 'USAGE', /expected true, false/],
    ['a text for a number', ['--steps', '3x'], 'PARAM_INVALID', /--steps: expected a whole number .* got "3x"/],
    ['a hexadecimal number', ['--steps', '0x10'], 'PARAM_INVALID', /got "0x10"/],
    ['a fraction for a whole number', ['--steps', '1.5'], 'PARAM_INVALID', /whole number/],
    ['a number out of range', ['--step-size', '0'], 'PARAM_INVALID', /--step-size: expected a number above 0 .*got 0/],
    ['an unknown choice', ['--mode', 'dwon'], 'PARAM_INVALID', /one of up, down, sideways, got "dwon"/, /mean down/],
    ['a list with a hole', ['--scales', '1,,2'], 'PARAM_INVALID', /--scales/],
  ];
  for (const [what, argv, code, text, hint] of bad) {
    it(`refuses ${what}`, () => assert.throws(() => params(argv), fails(code, text, hint)));
  }

  it('keeps the file of a parameter by its whole path, and names it from wherever the command is to be typed', () => {
    const costs = z.string().default('none').register(ui, { title: 'Costs', isFile: true });
    const filing: MethodSpec = { ...spec, params: toySpec.params.extend({ costs }) };
    const asked = (...argv: readonly string[]) =>
      buildRequest(filing, parseArguments(argv, methodFlags(filing), 'palimpsest run toy-count'), where);
    const request = asked('--costs', 'tables/costs.csv');
    const path = join(where.cwd, 'tables', 'costs.csv');
    assert.equal(request.params['costs'], path);
    assert.equal(asked('--costs', 'none').params['costs'], 'none');
    assert.match(commandLine(filing, request), new RegExp(` --costs ${path} `));
    const nameOfPath = (each: string): string => relative(where.cwd, each);
    assert.match(commandLine(filing, request, { nameOfPath }), / --costs tables\/costs\.csv /);
    const bare = { ...request, params: { ...request.params, costs: join(where.cwd, 'costs') } };
    assert.match(commandLine(filing, bare, { nameOfPath }), / --costs \.\/costs /);
  });

  it('says which word of a list was probably meant', () => {
    const names = z
      .array(z.enum(['fgsm', 'pgd']))
      .default([])
      .register(ui, { title: 'Names' });
    const listing: MethodSpec = { ...spec, params: toySpec.params.extend({ names }) };
    assert.throws(
      () => mergeParams(listing, { recipe: undefined, file: undefined, flags: read(['--names', 'fgsm, pdg']) }),
      fails('PARAM_INVALID', /got "fgsm, pdg"/, /Did you mean pgd\?/),
    );
  });

  it('names the key of a bad value in a parameter file', () => {
    assert.throws(
      () => params([], undefined, { steps: 'many' }),
      fails('PARAM_INVALID', /run\.json: steps: expected a whole/),
    );
    assert.throws(
      () => params([], undefined, { setps: 1 }),
      fails('PARAM_INVALID', /unknown parameters: setps/, /steps/),
    );
  });

  for (const each of catalogue) {
    it(`draws the flags of ${each.id} without a collision, and every recipe is valid`, () => {
      assert.ok(methodFlags(each).length > 0);
      for (const recipe of Object.values(each.recipes)) each.params.parse(recipe.params);
    });
  }
});

describe('a request as a command line', () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  const anyParams = fc.record(
    {
      steps: fc.integer({ min: 0, max: 1_000_000 }),
      stepSize: fc.double({ min: 1e-300, max: 100, noNaN: true }),
      mode: fc.constantFrom('up', 'down', 'sideways'),
      isLoud: fc.boolean(),
      scales: fc.array(number, { minLength: 1, maxLength: 4 }),
      names: fc.array(fc.oneof(fc.string(), fc.constantFrom('', ',', '[', ' a', '"', 'none')), { maxLength: 3 }),
      limit: fc.oneof(fc.constant(null), number),
      width: fc.oneof(fc.constant('auto'), fc.integer()),
      comment: fc.oneof(fc.constant(null), fc.string(), fc.constantFrom('none', '"none"', '-x', '--seed', '')),
      divergeAt: fc.oneof(fc.constant(null), fc.integer()),
      seed: fc.nat(),
    },
    { noNullPrototype: true },
  );

  it('gives the same parameters when it is read back', () => {
    fc.assert(
      fc.property(anyParams, fc.constantFrom(undefined, 'quick'), (wanted, recipe) => {
        assert.deepEqual(params(paramArguments(spec, wanted, recipe), recipe), wanted);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('gives the same request when it is read back', () => {
    const argv = ['--recipe', 'quick', '--seed', '7', '--teacher', 'flags.ts', '--test', '.', '--test-limit', '5'];
    const request = buildRequest(spec, read([...argv, '--student', 'lenet5', '--device', 'cpu']), where);
    const again = commandArguments(spec, request).slice(2);
    assert.deepEqual(buildRequest(spec, read(again), where), request);
  });

  it('leaves out what the recipe gives and quotes what a shell would read', () => {
    const request = buildRequest(spec, read(['--recipe', 'quick', '--comment', "it's"]), where);
    assert.equal(
      commandLine(spec, request),
      String.raw`palimpsest run toy-count --recipe quick --student lenet5-half --comment 'it'\''s' --seed 0 --threads 2`,
    );
  });
});

describe('a model that may be several', () => {
  const several: MethodSpec = defineMethod({
    ...toySpec,
    models: { rival: { title: 'Rival', help: 'Beside.', output: 'logits', gradients: 0, optional: true, several: 3 } },
    data: {},
  });
  const groups = methodFlags(several);
  const rivals = (...argv: readonly string[]): string[] => {
    const args = parseArguments(argv, groups, 'palimpsest run toy-count');
    return Object.entries(buildRequest(several, args, where).models).map(
      ([role, model]) => `${role} ${model.kind === 'file' ? basename(model.path) : ''}`,
    );
  };

  it('is given again, or by its number, and is the same in the command line', () => {
    const expected = ['rival flags.ts', 'rival2 params.ts', 'rival3 run.ts'];
    assert.deepEqual(rivals('--rival', 'flags.ts', '--rival', 'params.ts', '--rival', 'run.ts'), expected);
    assert.deepEqual(rivals('--rival', 'flags.ts', '--rival2', 'params.ts', '--rival', 'run.ts'), expected);
    const request = buildRequest(
      several,
      parseArguments(['--rival', 'run.ts', '--rival', 'flags.ts'], groups, ''),
      where,
    );
    const again = parseArguments(commandArguments(several, request).slice(2), groups, '');
    assert.deepEqual(buildRequest(several, again, where), request);
  });

  it('is refused once too often, and shown once in the help', () => {
    const four = Array.from({ length: 4 }, () => ['--rival', 'run.ts']).flat();
    assert.throws(() => rivals(...four), fails('USAGE', /--rival: expected at most 3/));
    const shown = groups.flatMap(({ flags }) => flags.filter(({ isHidden }) => isHidden !== true));
    assert.deepEqual(
      shown.filter(({ name }) => /^rival\d?$/.test(name)).map(({ name }) => name),
      ['rival'],
    );
    assert.match(shown.find(({ name }) => name === 'rival')?.help ?? '', /Up to 3: give it again/);
  });
});

describe('models and data of a request', () => {
  const request = (argv: readonly string[]): unknown => buildRequest(spec, read(argv), where);
  it('takes an architecture, or a file, where the method allows both', () => {
    const { models } = buildRequest(spec, read(['--student', './flags.ts']), where);
    assert.deepEqual(models['student'], { kind: 'file', path: `${import.meta.dirname}/flags.ts` });
  });
  it('takes what a file expects of pixels, and says it again in the command line', () => {
    const asked = buildRequest(
      spec,
      read(['--student', './flags.ts', '--student-mean', '0.485,0.456,0.406', '--student-std=0.25']),
      where,
    );
    assert.deepEqual(asked.models['student'], {
      kind: 'file',
      path: `${import.meta.dirname}/flags.ts`,
      normalisation: { mean: [0.485, 0.456, 0.406], std: [0.25] },
    });
    const again = buildRequest(spec, read(commandArguments(spec, asked).slice(2)), where);
    assert.deepEqual(again.models, asked.models);
  });
  it('takes sizes of a file that leaves them open, and says them again in the command line', () => {
    const asked = buildRequest(spec, read(['--student', './flags.ts', '--student-dims', 'height=32,x.3=48']), where);
    assert.deepEqual(asked.models['student'], {
      kind: 'file',
      path: `${import.meta.dirname}/flags.ts`,
      dims: { height: 32, 'x.3': 48 },
    });
    const again = buildRequest(spec, read(commandArguments(spec, asked).slice(2)), where);
    assert.deepEqual(again.models, asked.models);
    assert.throws(
      () => request(['--student', './flags.ts', '--student-dims', 'height']),
      fails('PARAM_INVALID', /--student-dims: expected NAME=SIZE/),
    );
    assert.throws(
      () => request(['--student', 'lenet5', '--student-dims', 'height=32']),
      fails('USAGE', /with the architecture "lenet5"/),
    );
  });
  it('takes names of classes, with commas in them too, and says them again in the command line', () => {
    const file = ['--student', './flags.ts'];
    for (const [text, names] of [
      ['cat, dog', ['cat', 'dog']],
      ['["cat, big","dog"]', ['cat, big', 'dog']],
    ] as const) {
      const asked = buildRequest(spec, read([...file, '--student-classes', text]), where);
      assert.ok(asked.models['student']?.kind === 'file');
      assert.deepEqual(asked.models['student'].classNames, names);
      const again = buildRequest(spec, read(commandArguments(spec, asked).slice(2)), where);
      assert.deepEqual(again.models, asked.models);
    }
    for (const text of ['cat,,dog', '["cat"', '[1]']) {
      assert.throws(
        () => request([...file, '--student-classes', text]),
        fails('PARAM_INVALID', /--student-classes: expected names apart by commas/),
      );
    }
    assert.throws(
      () => request(['--student', 'lenet5', '--student-classes', 'a,b']),
      fails('USAGE', /with the architecture "lenet5"/),
    );
  });
  it('refuses half a normalisation, one that is no numbers, and one for an architecture', () => {
    const file = ['--student', './flags.ts'];
    assert.throws(() => request([...file, '--student-mean', '0.5']), fails('USAGE', /--student-mean was given alone/));
    assert.throws(
      () => request([...file, '--student-mean', '0.5', '--student-std', '0']),
      fails('PARAM_INVALID', /--student-std: expected numbers above 0, got 0/),
    );
    assert.throws(
      () => request([...file, '--student-mean', 'half', '--student-std', '1']),
      fails('PARAM_INVALID', /--student-mean: expected numbers apart by commas, got "half"/),
    );
    assert.throws(
      () => request(['--student', 'lenet5', '--student-mean', '0', '--student-std', '1']),
      fails('USAGE', /with the architecture "lenet5"/),
    );
  });
  it('takes the split that the method wants unless another is asked for', () => {
    const splitOf = (argv: readonly string[]): string | undefined =>
      buildRequest(spec, read(argv), where).data['test']?.split;
    assert.equal(splitOf(['--test', '.']), 'test');
    assert.equal(splitOf(['--test', '.', '--test-split', 'train']), 'train');
  });
  it('refuses what is not there', () => {
    assert.throws(() => request(['--teacher', 'no.onnx']), fails('MODEL_UNREADABLE', /--teacher: there is no file/));
    assert.throws(() => request(['--teacher', 'bundled:no']), fails('MODEL_UNREADABLE', /no bundled model "no"/));
    assert.throws(() => request(['--student', 'lenet6']), fails('USAGE', /"lenet6"/, /Did you mean lenet5/));
    assert.throws(() => request(['--test', 'nowhere']), fails('DATA_UNREADABLE', /--test: there is nothing/));
    assert.throws(() => request(['--test-split', 'test']), fails('USAGE', /without --test/));
    assert.throws(() => request(['--threads', '0']), fails('PARAM_INVALID', /from 1 to 256, got "0"/));
    assert.throws(() => request(['--device', 'tpu']), fails('PARAM_INVALID', /auto, cpu, cuda, webgpu/));
    assert.throws(() => request(['--recipe', 'quik']), fails('PARAM_INVALID', /--recipe/, /quick/));
  });
});
