// The door to every task: installs what is missing, finds a Node that runs TypeScript, then does the job.
// Plain JavaScript for Node 18 and later, only node: modules.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chooseNode, missingNodeMessage, projectNode, runToExit } from '../cli/node-runtime.mjs';
import {
  filesBelow,
  formatDuration,
  installArgs,
  installFailedMessage,
  npmCommand,
  readJson,
  splitTestArgs,
  testsAt,
  thisMachine,
  whyStale,
  withLock,
} from './dev-lib.mjs';
import { chromiumInstall, findChromium, noChromiumMessage } from './chromium.mjs';
import {
  findElectron,
  noteBuilt,
  noteNotFetched,
  notFetchedMessage,
  sourceDigest,
  whyNoFetch,
  whyUnbuilt,
} from './start-lib.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const self = fileURLToPath(import.meta.url);

/** @typedef {{ name: string, args: readonly string[] }} Step a Node program and its arguments */

/** @type {Record<string, { help: string, run: (args: readonly string[]) => Promise<number> }>} */
const jobs = {
  start: { help: 'the window: of its own where Electron is, else in a browser', run: start },
  build: { help: 'the interface, into out/', run: () => build('asked for') },
  demo: { help: 'the main job on the bundled teacher and real MNIST', run: (args) => program('scripts/demo.ts', args) },
  test: { help: 'all checks, then all tests; with a path, only the tests there', run: test },
  check: { help: 'generated files, format, lint, house rules, unused code, types', run: () => runSteps(checkSteps()) },
  palimpsest: { help: 'the command line of the workbench', run: (args) => program('cli/main.ts', args) },
  bench: { help: 'the timed scenarios', run: (args) => program('bench/main.ts', args) },
  'electron-fetch': { help: 'the program of Electron, for a window of its own', run: fetchElectron },
  package: { help: 'installers of the application for this system', run: makePackages },
  'package-check': { help: 'what an installer would hold, with a stand-in for Electron', run: packageCheck },
  lint: { help: 'lint and house rules', run: () => runSteps([lintStep(), houseStep]) },
  typecheck: { help: 'types of all projects', run: () => runSteps([typesStep()]) },
  format: {
    help: 'rewrite files as Prettier wants them',
    run: (args) => inherit([toolPath('prettier'), '--write', '--log-level=warn', ...(args.length > 0 ? args : ['.'])]),
  },
  generate: { help: 'make the generated files anew', run: () => runSteps(generatorSteps([])) },
};

/** @param {readonly string[]} argv */
async function main(argv) {
  const [name, ...args] = argv;
  const job = name === undefined ? undefined : jobs[name];
  if (job === undefined) {
    if (name !== undefined) say(`Unknown job "${name}".`);
    say('Usage: node scripts/dev.mjs JOB [ARGUMENTS]\n');
    for (const [each, { help }] of Object.entries(jobs)) say(`  ${each.padEnd(11)} ${help}`);
    return 2;
  }
  const installed = await install();
  if (installed !== 0) return installed;

  const choice = chooseNode({ version: process.version, candidate: projectNode(import.meta.url) });
  if (choice.kind === 'none') {
    say(missingNodeMessage(choice.reason, process.version));
    return 1;
  }
  if (choice.kind === 'other') return runToExit(choice.binary, [self, ...argv]);
  return job.run(args);
}

/** Resolves to 0 when node_modules is what the lock asks for, else to npm's exit code. */
async function install() {
  const lock = readJson(join(root, 'package-lock.json'));
  if (lock === undefined) {
    say(`Cannot read ${join(root, 'package-lock.json')}. Hint: restore it from the repository.`);
    return 1;
  }
  const stale = () => whyStale(lock, readJson(join(root, 'node_modules', '.package-lock.json')), thisMachine());
  if (stale() === undefined) return 0;

  const lockPath = join(root, '.install.lock');
  const onWait = (/** @type {number} */ pid) => say(`Waiting for another install (process ${pid}, ${lockPath}) …`);
  return withLock(
    lockPath,
    async () => {
      const reason = stale();
      if (reason === undefined) return 0;
      say(`Installing: ${reason}. The first time takes about a minute …`);
      const started = Date.now();
      const npm = npmCommand(process.env, process.platform);
      const code = await runToExit(npm.binary, [...npm.args, ...installArgs], {
        cwd: root,
        shell: npm.shell,
        stdio: ['ignore', 2, 2],
        // Even where scripts are let through: onnxruntime-node's own would fetch GPU libraries from elsewhere.
        env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
      }).catch((/** @type {unknown} */ error) => {
        say(`${npm.binary} does not start: ${error instanceof Error ? error.message : String(error)}`);
        return 127;
      });
      if (code !== 0) say(code > 128 ? 'The install was interrupted.' : installFailedMessage(code));
      else say(`Installed in ${formatDuration(Date.now() - started)}.`);
      return code;
    },
    { onWait },
  );
}

/** @param {readonly string[]} args for `palimpsest serve`, where that is what is started */
async function start(args) {
  const reason = whyUnbuilt(root, sourceDigest(root));
  if (reason !== undefined) {
    const code = await build(reason);
    if (code !== 0) return code;
  }
  const machine = { env: process.env, platform: process.platform, isRoot: process.getuid?.() === 0 };
  let electron = findElectron(root, machine);
  if ('reason' in electron && electron.isFetchable) {
    const whyNot = whyNoFetch(root, process.env);
    if (whyNot === undefined) await fetchElectron();
    const missing = electron.reason;
    electron = findElectron(root, machine);
    if ('reason' in electron) electron = { reason: whyNot === undefined ? missing : `${missing}: ${whyNot}` };
  }
  if ('binary' in electron) {
    const started = Date.now();
    const code = await runToExit(electron.binary, [root, ...args], { env: jobEnvironment() });
    if (code === 0 || Date.now() - started > 10_000) return code;
    electron = { reason: `Electron ended at once with exit code ${code}` };
  }
  say(`Opening in a browser: ${electron.reason}.`);
  return program('cli/main.ts', ['serve', ...args]);
}

/** From where npm's settings and ELECTRON_MIRROR say, checked against the sums in the package; about 110 MB. */
async function fetchElectron() {
  say('Fetching Electron, once; about 110 MB …');
  const { code, output } = await capture(['node_modules/electron/install.js']);
  if (code === 0) return 0;
  noteNotFetched(root, process.env);
  say(notFetchedMessage(output, process.env));
  return code;
}

/** The interface as these sources make it, no larger than its budget. */
async function haveInterface() {
  const reason = whyUnbuilt(root, sourceDigest(root));
  const code = reason === undefined ? 0 : await build(reason);
  return code === 0 ? runSteps([{ name: 'size of the window', args: ['renderer/check-bundle.mjs'] }]) : code;
}

/** Never skipped: a machine that cannot test the interface says so and fails. */
async function haveChromium() {
  const machine = { env: process.env, platform: process.platform };
  const isRoot = process.getuid?.() === 0;
  const steps = chromiumInstall({ ...machine, isRoot, hasApt: existsSync('/usr/bin/apt-get') }) ?? [];
  for (const [command = '', ...args] of findChromium(machine) === undefined ? steps : []) {
    say(`Installing Chromium: ${command} ${args.join(' ')}`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const code = await runToExit(command, args, { stdio: ['ignore', 2, 2], env });
    if (code !== 0) say(`${command} ended with exit code ${code}.`);
  }
  if (findChromium(machine) !== undefined) return 0;
  say(noChromiumMessage(machine));
  return 1;
}

/** @param {string} reason */
async function build(reason) {
  say(`Building the interface: ${reason} …`);
  const digest = sourceDigest(root);
  const { code, output } = await capture([toolPath('electron-vite'), 'build']);
  if (code === 0) noteBuilt(root, digest);
  else say(output);
  return code;
}

/** @param {readonly string[]} args for electron-builder */
async function makePackages(args) {
  const code = await haveInterface();
  return code === 0 ? inherit([toolPath('electron-builder'), '--publish', 'never', ...args]) : code;
}

async function packageCheck() {
  const code = await haveInterface();
  return code === 0 ? inherit(['scripts/package-check.ts']) : code;
}

/** @param {readonly string[]} args */
async function test(args) {
  const { places, options } = splitTestArgs(args);
  const files = testsAt([...filesBelow(root, '.test.ts'), ...filesBelow(root, '.e2e.ts')], places);
  if (files.length === 0) {
    say(`No test file (*.test.ts, *.e2e.ts) in ${places.length > 0 ? places.join(', ') : root}.`);
    return 1;
  }
  if (places.length === 0) {
    const code = await runSteps(checkSteps());
    if (code !== 0) return code;
  } else {
    console.log('Only the tests named; "npm run check" does the other checks.');
  }
  if (files.some((file) => file.endsWith('.e2e.ts'))) {
    const code = (await haveInterface()) || (await haveChromium());
    if (code !== 0) return code;
  }
  // Last, so that the runner's closing lines are the last lines of all.
  return inherit(['--test', '--test-concurrency=2', '--test-reporter=spec', ...options, ...files]);
}

function checkSteps() {
  return [
    lockStep,
    ...generatorSteps(['--check']),
    { name: 'format', args: [toolPath('prettier'), '--check', '--cache', '--log-level=warn', '.'] },
    lintStep(),
    houseStep,
    { name: 'unused code', args: [toolPath('knip'), '--no-progress'] },
    typesStep(),
  ];
}

const lockStep = { name: 'lock', args: ['scripts/complete-lock.mjs', '--check'] };
const houseStep = { name: 'house rules', args: ['scripts/check-house.ts'] };

function lintStep() {
  return { name: 'lint', args: [toolPath('oxlint')] };
}

function typesStep() {
  return { name: 'types', args: [toolPath('typescript', 'tsc'), '-b'] };
}

/** @param {readonly string[]} options */
function generatorSteps(options) {
  const generators = filesBelow(join(root, 'scripts'), '.ts').filter((file) =>
    /^generate-(?!.*\.test\.ts$)/.test(file),
  );
  return generators.map((file) => ({ name: file.replace(/\.ts$/, ''), args: [`scripts/${file}`, ...options] }));
}

/**
 * Runs steps until one fails; a line each, and the output of the one that failed.
 * @param {readonly Step[]} steps
 */
async function runSteps(steps) {
  for (const step of steps) {
    const started = Date.now();
    const { code, output } = await capture(step.args);
    const line = `${step.name.padEnd(20)} ${formatDuration(Date.now() - started)}`;
    if (code !== 0) {
      console.log(output);
      console.log(`✖ ${line}  failed (exit code ${code})`);
      return code;
    }
    console.log(`✔ ${line}`);
  }
  return 0;
}

/**
 * @param {readonly string[]} args
 * @returns {Promise<{ code: number, output: string }>}
 */
function capture(args) {
  const color = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
  const child = spawn(process.execPath, [...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...jobEnvironment(), ...color },
  });
  /** @type {Buffer[]} */
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  child.stderr.on('data', (chunk) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 130, output: Buffer.concat(chunks).toString().trimEnd() }));
  });
}

/** @param {readonly string[]} args */
function inherit(args) {
  return runToExit(process.execPath, args, { cwd: root, env: jobEnvironment() });
}

/**
 * Runs one of the project's programs where the user stands, so that relative paths mean what they say.
 * @param {string} path
 * @param {readonly string[]} args
 */
async function program(path, args) {
  if (!existsSync(join(root, path))) {
    say(`${path} is missing. Hint: restore it from the repository.`);
    return 1;
  }
  return runToExit(process.execPath, [join(root, path), ...args], {
    cwd: process.env['INIT_CWD'] ?? process.cwd(),
    env: jobEnvironment(),
  });
}

/** Whatever a job starts by the name `node` is the Node that runs the job. */
function jobEnvironment() {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return { ...env, PATH: [dirname(process.execPath), env['PATH']].filter(Boolean).join(delimiter) };
}

/**
 * The script behind a tool's command, from its package.json.
 * @param {string} packageName
 * @param {string} [command]
 * @returns {string}
 */
function toolPath(packageName, command = packageName) {
  const folder = join(root, 'node_modules', packageName);
  const bin = readJson(join(folder, 'package.json'))?.bin;
  return join(folder, typeof bin === 'string' ? bin : bin[command]);
}

/** @param {string} text to stderr: stdout belongs to the job */
function say(text) {
  process.stderr.write(`${text}\n`);
}

process.exitCode = await main(process.argv.slice(2));
