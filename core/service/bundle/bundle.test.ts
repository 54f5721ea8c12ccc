import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { unzipSync, zipSync, type Zippable } from 'fflate';
import type { RunEvent } from '../../contract/run.ts';
import { sha256Of } from '../../jobs/canonical-json.ts';
import { temporaryFolder, toyOptions } from '../../jobs/testing/toy-workspace.ts';
import { toyRegistry } from '../../jobs/testing/toy-method.ts';
import type { Child } from '../../runtime/child-process.ts';
import { openWorkspace, type Workspace } from '../../store/workspace.ts';
import { lookApart } from '../apart.ts';
import type { Content } from '../content.ts';
import { openToyService } from '../testing/toy-service.ts';
import { Manifest, manifestName, runFiles, signatureName } from './format.ts';
import { importBundle } from './import.ts';
import { signingKey } from './signing-key.ts';
import { unpackBundle } from './unpack.ts';
import { makeBundle } from './write.ts';

type Files = Record<string, Uint8Array>;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const now = (): number => 1234;
const bytesOf = (content: Content | undefined): Uint8Array => Buffer.concat([...(content?.pieces() ?? [])]);

describe('a bundle of runs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'palimpsest-'));
  const stranger = signingKey(mkdtempSync(join(folder, 'stranger-')));
  let runId = '';
  let bundle: Uint8Array;

  before(async () => {
    const service = openToyService(join(folder, 'from'));
    const ask = async (name: string, params: unknown): Promise<Record<string, unknown>> => {
      const answer = await service.request(name, params);
      assert.ok(answer.ok, JSON.stringify(answer));
      return answer.result as Record<string, unknown>;
    };
    const ended = Promise.withResolvers<void>();
    service.subscribe((event) => {
      if (event.type === 'run' && event.row.finishedAtMs !== null) ended.resolve();
    });
    const request = { methodId: 'walk', params: { steps: 12 }, models: {}, data: {} };
    const { runIds } = await ask('runs.start', { requests: [request] });
    [runId = ''] = runIds as readonly string[];
    await ended.promise;
    await ask('runs.annotate', { runIds: [runId], note: 'from afar', addTags: ['lab'] });
    const { url } = await ask('links.create', { kind: 'bundle', runIds: [runId] });
    const linked = await service.openLink(String(url).split('/')[2] ?? '');
    bundle = bytesOf(linked?.content);
    await service.close();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function open(t: TestContext): Workspace {
    const workspace = openWorkspace(temporaryFolder(t), toyOptions());
    t.after(() => workspace.close());
    return workspace;
  }

  function take(workspace: Workspace, bytes: Uint8Array, expectedKey?: string) {
    const path = join(workspace.dir, 'taken.zip');
    writeFileSync(path, bytes);
    return importBundle(workspace, path, { expectedKey, now, unpack: async (asked) => unpackBundle(asked) });
  }

  /** The bundle with other files, the manifest brought in line with them and signed by a stranger's key. */
  function signedAnew(
    change: (files: Files) => void,
    pack: (files: Files) => Zippable = (files) => files,
    runs: readonly string[] = [runId],
  ): Uint8Array {
    const files: Files = unzipSync(bundle);
    change(files);
    const manifestBefore = Manifest.parse(JSON.parse(decode(files[manifestName])));
    const listed = Object.entries(files).filter(([path]) => path !== manifestName && path !== signatureName);
    const manifest = {
      ...manifestBefore,
      publicKey: stranger.publicKey,
      runs,
      files: listed.map(([path, bytes]) => ({ path, sizeBytes: bytes.length, sha256: sha256Of(bytes) })),
    };
    const text = encode(JSON.stringify(manifest));
    return zipSync(pack({ ...files, [manifestName]: text, [signatureName]: encode(stranger.sign(text)) }));
  }

  function changed(change: (files: Files) => void): Uint8Array {
    const files: Files = unzipSync(bundle);
    change(files);
    return zipSync(files);
  }

  const isUntouched = (workspace: Workspace): void => {
    assert.deepEqual(workspace.listRuns(), []);
    assert.equal(existsSync(join(workspace.dir, 'artifacts')), false);
  };

  it('brings the whole run: request, figures, curves, files, notes, report', async (t) => {
    const workspace = open(t);
    const { runs, key } = await take(workspace, bundle);
    assert.deepEqual(runs, [{ runId, outcome: 'added', isInTrash: false }]);
    const from = openWorkspace(join(folder, 'from'), toyOptions());
    t.after(() => from.close());
    assert.deepEqual(workspace.getRun(runId), from.getRun(runId));
    assert.deepEqual(workspace.events(runId), from.events(runId));
    assert.deepEqual(workspace.series(runId), from.series(runId));
    assert.deepEqual(workspace.getRow(runId), from.getRow(runId));
    for (const artifact of workspace.getRun(runId).artifacts) {
      assert.deepEqual(workspace.readArtifact(artifact), from.readArtifact(artifact));
    }
    assert.deepEqual(workspace.originOf(runId), { key, atMs: 1234 });
    assert.equal(from.originOf(runId), null);
    assert.match(decode(unzipSync(bundle)[runFiles(runId).html]), /^<!doctype html>/);
  });

  it('changes nothing when it comes again, and keeps what was noted here since', async (t) => {
    const workspace = open(t);
    await take(workspace, bundle);
    workspace.annotate([runId], { note: 'seen' });
    const record = workspace.getRun(runId);
    assert.deepEqual((await take(workspace, bundle)).runs, [{ runId, outcome: 'known', isInTrash: false }]);
    assert.deepEqual(workspace.getRun(runId), record);
    assert.equal(workspace.getRow(runId).note, 'seen');
  });

  it('is the same bytes each time it is made, by a key that nobody else may read', async (t) => {
    const again = openWorkspace(join(folder, 'from'), toyOptions());
    t.after(() => again.close());
    const specs = Object.values(toyRegistry).map(({ spec }) => spec);
    const made = await makeBundle(again, [runId, runId.slice(-4)], specs);
    assert.equal(made.sizeBytes, bundle.byteLength);
    assert.deepEqual(sha256Of(bytesOf(made)), sha256Of(bundle));
    const file = join(folder, 'from', 'bundle-key.pem');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(
      signingKey(join(folder, 'from')).publicKey,
      Manifest.parse(JSON.parse(decode(unzipSync(bundle)[manifestName]))).publicKey,
    );
  });

  it('is refused when another key has signed it than the one expected', async (t) => {
    const workspace = open(t);
    const { key } = await take(open(t), bundle);
    const forged = signedAnew(() => {});
    await assert.rejects(take(workspace, forged, key), { code: 'BUNDLE_UNREADABLE', message: /signed by/ });
    isUntouched(workspace);
    assert.equal((await take(workspace, bundle, key.toUpperCase())).runs.length, 1);
  });

  const flip = (bytes: Uint8Array | undefined): Uint8Array => {
    const copy = Uint8Array.from(bytes ?? []);
    copy[Math.floor(copy.length / 2)]! ^= 1;
    return copy;
  };
  const paths = (): ReturnType<typeof runFiles> => runFiles(runId);
  const firstArtifact = (files: Files): string =>
    Object.keys(files).find((path) => path.startsWith('artifacts/')) ?? '';

  const tampered: readonly (readonly [string, (files: Files) => void, RegExp])[] = [
    [
      'a changed artifact',
      (files) => (files[firstArtifact(files)] = flip(files[firstArtifact(files)])),
      /artifacts\/[0-9a-f]{64}.*was changed/,
    ],
    ['a changed request', (files) => (files[paths().run] = flip(files[paths().run])), /run\.json.*was changed/],
    [
      'a figure changed in the events',
      (files) =>
        (files[paths().events] = encode(decode(files[paths().events]).replace(/"distance":\d/, '"distance":0'))),
      /events\.jsonl.*was changed/,
    ],
    [
      'a longer file',
      (files) => (files[paths().run] = encode(`${decode(files[paths().run])} `)),
      /run\.json.*expected \d+ bytes/,
    ],
    ['a missing file', (files) => void delete files[paths().events], /events\.jsonl.*is missing/],
    ['a file too many', (files) => (files['artifacts/more'] = encode('x')), /artifacts\/more.*not in its manifest/],
    [
      'a changed manifest',
      (files) =>
        (files[manifestName] = encode(decode(files[manifestName]).replace('"palimpsest": "', '"palimpsest": "9'))),
      /does not match its signature/,
    ],
    [
      'another signature',
      (files) => (files[signatureName] = flip(files[signatureName])),
      /does not match its signature/,
    ],
    ['no signature', (files) => void delete files[signatureName], /signature\.txt is missing/],
    ['no manifest', (files) => void delete files[manifestName], /manifest\.json is missing/],
  ];
  for (const [name, change, says] of tampered) {
    it(`with ${name} is refused, naming the file, and leaves nothing behind`, async (t) => {
      const workspace = open(t);
      await assert.rejects(take(workspace, changed(change)), { code: 'BUNDLE_UNREADABLE', message: says });
      isUntouched(workspace);
    });
  }

  const escapes = [
    '../evil',
    '/etc/passwd',
    'runs/../../x',
    'artifacts/..\\x',
    'C:\\x',
    'bundle-key.pem',
    'runs/x/run.json',
    'palimpsest.db',
  ];
  for (const path of escapes) {
    it(`with a file named ${path} is refused even when it is signed`, async (t) => {
      const workspace = open(t);
      const names = readdirSync(workspace.dir);
      await assert.rejects(
        take(
          workspace,
          signedAnew((files) => (files[path] = encode('x'))),
        ),
        { code: 'BUNDLE_UNREADABLE' },
      );
      isUntouched(workspace);
      assert.deepEqual(readdirSync(workspace.dir).toSorted(), [...names, 'taken.zip'].toSorted());
    });
  }

  it('that would grow beyond all measure is refused before it is unpacked', async (t) => {
    const workspace = open(t);
    const bomb = signedAnew(
      (files) => (files[`artifacts/${'a'.repeat(64)}`] = new Uint8Array(100 * 2 ** 20)),
      (files) => files,
    );
    assert.ok(bomb.length < 2 ** 20);
    await assert.rejects(take(workspace, bomb), {
      code: 'BUNDLE_UNREADABLE',
      message: /claim \d+ bytes, expected at most/,
    });
    isUntouched(workspace);
  });

  it('whose file is larger than the directory claims stops there', async (t) => {
    const workspace = open(t);
    const files: Files = unzipSync(bundle);
    const name = paths().events;
    const lying = Buffer.from(zipSync(files));
    // The size of the file in its entry of the directory, the last place with its name.
    const at = lying.lastIndexOf(name) - 46;
    lying.writeUInt32LE(10, at + 24);
    await assert.rejects(take(workspace, lying), { code: 'BUNDLE_UNREADABLE', message: /events\.jsonl/ });
    isUntouched(workspace);
  });

  const damaged: readonly (readonly [string, () => Uint8Array])[] = [
    ['nothing', () => new Uint8Array()],
    ['text', () => encode('no zip at all')],
    ['half of it', () => bundle.slice(0, bundle.length / 2)],
    ['its end alone', () => bundle.slice(-22)],
    [
      'a directory that lies outside',
      () => {
        const bytes = Buffer.from(bundle);
        bytes.writeUInt32LE(0xfffffff0, bytes.length - 6);
        return bytes;
      },
    ],
    [
      'zip64 counts',
      () => {
        const bytes = Buffer.from(bundle);
        bytes.writeUInt16LE(0xffff, bytes.length - 12);
        bytes.writeUInt16LE(0xffff, bytes.length - 14);
        return bytes;
      },
    ],
  ];
  for (const [name, make] of damaged) {
    it(`of which there is ${name} is refused`, async (t) => {
      const workspace = open(t);
      await assert.rejects(take(workspace, make()), { code: 'BUNDLE_UNREADABLE' });
      isUntouched(workspace);
    });
  }

  const events = (files: Files): RunEvent[] =>
    decode(files[paths().events])
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as RunEvent);
  const setEvents = (files: Files, list: readonly object[]): void => {
    files[paths().events] = encode(list.map((event) => `${JSON.stringify(event)}\n`).join(''));
  };
  const nonsense: readonly (readonly [string, (files: Files) => void, RegExp])[] = [
    ['events out of order', (files) => setEvents(files, events(files).toReversed()), /out of place/],
    [
      'events of another run',
      (files) =>
        setEvents(
          files,
          events(files).map((event) => ({ ...event, runId: '20200101-000000-aaaa' })),
        ),
      /out of place/,
    ],
    ['no end', (files) => setEvents(files, events(files).slice(0, -1)), /has no end/],
    ['no events', (files) => setEvents(files, []), /has no end/],
    ['an event that is none', (files) => setEvents(files, [{ type: 'nothing' }]), /line 1 is not as expected/],
    ['an empty line', (files) => (files[paths().events] = encode('\n'.repeat(1000))), /line 1 is no JSON/],
    [
      'a line beyond all measure',
      (files) => (files[paths().events] = encode(`"${' '.repeat(5 * 2 ** 20)}"`)),
      /line 1 has \d+ bytes, expected at most/,
    ],
    [
      'a request beyond all measure',
      (files) => (files[paths().run] = encode(' '.repeat(17 * 2 ** 20))),
      /run\.json.*claims \d+ bytes, expected at most/,
    ],
    ['no JSON', (files) => (files[paths().run] = encode('{')), /run\.json is no JSON/],
    ['no text', (files) => (files[paths().run] = Uint8Array.of(0xff, 0xfe)), /no UTF-8/],
    ['an artifact left out', (files) => void delete files[firstArtifact(files)], /of artifact .* is missing/],
  ];
  for (const [name, change, says] of nonsense) {
    it(`with ${name} is refused even when it is signed`, async (t) => {
      const workspace = open(t);
      await assert.rejects(take(workspace, signedAnew(change)), { code: 'BUNDLE_UNREADABLE', message: says });
      assert.deepEqual(workspace.listRuns(), []);
    });
  }

  it('does not overwrite another run of the same id', async (t) => {
    const workspace = open(t);
    await take(workspace, bundle);
    const other = signedAnew((files) => {
      files[paths().run] = encode(decode(files[paths().run]).replace('"seed": 0', '"seed": 1'));
    });
    await assert.rejects(take(workspace, other), { code: 'RUN_STATE', message: /Another run has the id/ });
    assert.equal(workspace.getRun(runId).request.params['seed'], 0);
  });

  /** The run once more, under another id and with other parameters when asked for. */
  const second = (files: Files, id: string, seed = 0): void => {
    const from = paths();
    const to = runFiles(id);
    for (const name of ['run', 'events'] as const) {
      const text = decode(files[from[name]]).replaceAll(runId, id);
      files[to[name]] = encode(name === 'run' ? text.replace('"seed": 0', `"seed": ${seed}`) : text);
    }
  };

  it('is taken as a whole or not at all, when one of its runs is another one here', async (t) => {
    const workspace = open(t);
    const other = '20200101-000000-zzzz';
    const bundleOf = (runs: readonly string[], seed = 0): Uint8Array =>
      signedAnew(
        (files) => second(files, other, seed),
        (files) => files,
        runs,
      );
    await take(workspace, bundleOf([other]));
    const clash = { code: 'RUN_STATE', message: /Another run has the id 20200101/ };
    await assert.rejects(take(workspace, bundleOf([runId, other], 1)), clash);
    assert.deepEqual(
      workspace.listRuns().map((run) => run.runId),
      [other],
    );
    assert.deepEqual(
      (await take(workspace, bundleOf([runId, other]))).runs.map(({ outcome }) => outcome),
      ['added', 'known'],
    );
  });

  it('says of a run in the trash that it lies there', async (t) => {
    const workspace = open(t);
    await take(workspace, bundle);
    workspace.trash([runId]);
    assert.deepEqual((await take(workspace, bundle)).runs, [{ runId, outcome: 'known', isInTrash: true }]);
  });

  it('is looked through in a process of its own, and what costs that its life costs nothing here', async (t) => {
    const workspace = open(t);
    const path = join(workspace.dir, 'taken.zip');
    writeFileSync(path, bundle);
    assert.equal((await importBundle(workspace, path, { now })).runs[0]?.outcome, 'added');
    const dying = (): Child => ({
      pid: undefined,
      onStart: () => {},
      usage: async () => Promise.resolve(undefined),
      post: () => {},
      kill: () => {},
      onMessage: () => {},
      onExit: (listener) => listener({ exitCode: null, signal: 'SIGABRT', output: 'out of memory' }),
    });
    await assert.rejects(lookApart({ kind: 'bundle', path, workspaceDir: workspace.dir }, { launch: dying }), {
      code: 'BUNDLE_UNREADABLE',
      message: /ended the process/,
    });
  });
});
