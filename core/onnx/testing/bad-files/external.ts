import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RuleId } from '../../validate/rules.ts';
import { withTensor } from '../model-bytes.ts';

/** A model that reaches for data outside itself; its weight is two floats. */
export interface ExternalAttack {
  readonly rule: RuleId;
  readonly name: string;
  /** Lays out the folder of the model, and may use the folder around it; gives the entries of external_data. */
  readonly entries: (folder: string) => Readonly<Record<string, string>> | readonly (readonly [string, string])[];
}

/** What must never be read: eight bytes that stand outside the model's folder. */
export const secret = new TextEncoder().encode('SECRET!!');

/** The bytes of a model whose weight has the given external_data. */
export const externalModel = (entries: ReturnType<ExternalAttack['entries']>): Uint8Array =>
  withTensor({
    dims: [2n],
    dataType: 1,
    dataLocation: 1,
    externalData: (Array.isArray(entries) ? entries : Object.entries(entries)).map(([key, value]) => ({ key, value })),
  });

/** Where the secret lies: beside the model's folder. */
export const secretFile = (folder: string): string => join(dirname(folder), 'secret.bin');

const at =
  (location: string, more: Readonly<Record<string, string>> = {}) =>
  () => ({ location, ...more });

/** The entries after something has been put into the folder. */
const having =
  (prepare: (folder: string) => void, location: string, more: Readonly<Record<string, string>> = {}) =>
  (folder: string) => {
    prepare(folder);
    return { location, ...more };
  };

const data =
  (size: number, name = 'w.bin') =>
  (folder: string) =>
    writeFileSync(join(folder, name), new Uint8Array(size));
const linked =
  (target: (folder: string) => string, name = 'w.bin') =>
  (folder: string) =>
    symlinkSync(target(folder), join(folder, name));

function attacks(rule: RuleId, variants: Readonly<Record<string, ExternalAttack['entries']>>): ExternalAttack[] {
  return Object.entries(variants).map(([name, entries]) => ({ rule, name, entries }));
}

export const externalAttacks: readonly ExternalAttack[] = [
  ...attacks('ONNX_E_EXTERNAL_PATH', {
    'absolute path': (folder) => ({ location: secretFile(folder) }),
    'absolute path of the system': at('/etc/hostname'),
    'parent folder': at('../secret.bin'),
    'parent folder behind a folder': having((folder) => mkdirSync(join(folder, 'a')), 'a/../../secret.bin'),
    'parent folder behind dots': at('./././../secret.bin'),
    'parent folder with backslashes': at('..\\secret.bin'),
    'parent folder behind a name that is not there': at('nowhere/../../secret.bin'),
    'the parent folder itself': at('..'),
    'many parents': at(`${'../'.repeat(64)}etc/passwd`),
    'drive of Windows': at('C:\\secret.bin'),
    'drive without a separator': at('C:secret.bin'),
    'share of a network': at('\\\\server\\share\\secret.bin'),
    'share with slashes': at('//server/share/secret.bin'),
    'device namespace': at('\\\\.\\PhysicalDrive0'),
    'device name of Windows': at('NUL'),
    'device name with a suffix': at('com1.bin'),
    'stream of a file': at('w.bin:secret'),
    URL: at('file:///etc/passwd'),
    'URL of a server': at('http://127.0.0.1/secret.bin'),
    'NUL behind a good name': at('w.bin\0/../../secret.bin'),
    'line end in the name': at('w.bin\n'),
    'direction mark in the name': at('w\u202enib.'),
    'name that ends with a dot': at('w.bin.'),
    'name that ends with a blank': at('w.bin '),
    'empty name': at(''),
    'no name at all': () => ({ offset: '0' }),
    'the folder itself': at('.'),
    'a separator alone': at('/'),
    'name that ends with a separator': having(data(8), 'w.bin/'),
    'name of a thousand folders': at('a/'.repeat(600) + 'w.bin'),
  }),
  ...attacks('ONNX_E_EXTERNAL_ADDRESS', {
    marker: at('*/_ORT_MEM_ADDR_/*', { offset: '140737488355328' }),
    'marker alone': at('_ORT_MEM_ADDR_'),
    'marker inside a path': at('data/_ORT_MEM_ADDR_/w.bin'),
    'marker in small letters': at('*/_ort_mem_addr_/*'),
  }),
  ...attacks('ONNX_E_EXTERNAL_LINK', {
    'symbolic link to the outside': having(linked(secretFile), 'w.bin'),
    'symbolic link with a relative target': having(
      linked(() => '../secret.bin'),
      'w.bin',
    ),
    'symbolic link to a file beside it': having((folder) => {
      data(8, 'plain.bin')(folder);
      linked(() => 'plain.bin')(folder);
    }, 'w.bin'),
    'symbolic link to a link': having((folder) => {
      linked(secretFile, 'a')(folder);
      linked(() => 'a')(folder);
    }, 'w.bin'),
    'symbolic link that leads nowhere': having(
      linked(() => 'nowhere'),
      'w.bin',
    ),
    'folder that is a link': having((folder) => {
      linked((inside) => dirname(inside), 'up')(folder);
    }, 'up/secret.bin'),
    'folder below that is a link': having((folder) => {
      mkdirSync(join(folder, 'a'));
      symlinkSync(dirname(folder), join(folder, 'a/up'));
    }, 'a/up/secret.bin'),
    'link to the descriptors of the process': having(
      linked(() => '/proc/self/fd'),
      'w.bin/0',
    ),
    'link to memory of the process': having(
      linked(() => '/proc/self/mem'),
      'w.bin',
    ),
    'hard link to the outside': having((folder) => linkSync(secretFile(folder), join(folder, 'w.bin')), 'w.bin'),
    'hard link inside': having((folder) => {
      data(8, 'plain.bin')(folder);
      linkSync(join(folder, 'plain.bin'), join(folder, 'w.bin'));
    }, 'w.bin'),
    'hard link in a folder': having((folder) => {
      mkdirSync(join(folder, 'a'));
      linkSync(secretFile(folder), join(folder, 'a/w.bin'));
    }, 'a/w.bin'),
  }),
  ...attacks('ONNX_E_EXTERNAL_KIND', {
    pipe: having((folder) => execFileSync('mkfifo', [join(folder, 'w.bin')]), 'w.bin'),
    'pipe in a folder': having((folder) => {
      mkdirSync(join(folder, 'a'));
      execFileSync('mkfifo', [join(folder, 'a/w.bin')]);
    }, 'a/w.bin'),
    folder: having((folder) => mkdirSync(join(folder, 'w.bin')), 'w.bin'),
    'file in the place of a folder': having(data(8, 'a'), 'a/w.bin'),
  }),
  ...attacks('ONNX_E_EXTERNAL_MISSING', {
    'no such file': at('w.bin'),
    'no such folder': at('a/w.bin'),
    'another case': having(data(8, 'W.BIN'), 'w.bin'),
    'name too long for the system': at('w'.repeat(900)),
  }),
  ...attacks('ONNX_E_EXTERNAL_KEY', {
    'unknown key': having(data(8), 'w.bin', { prepacked: '1' }),
    'base path': having(data(8), 'w.bin', { basepath: '/etc' }),
    'key of the prototype': having(data(8), 'w.bin', { constructor: 'x' }),
    'location twice': () => [
      ['location', 'w.bin'],
      ['location', '../secret.bin'],
    ],
    'empty key': having(data(8), 'w.bin', { '': '' }),
  }),
  ...attacks('ONNX_E_EXTERNAL_RANGE', {
    'file too short': having(data(6), 'w.bin'),
    'empty file': having(data(0), 'w.bin'),
    'offset behind the end': having(data(8), 'w.bin', { offset: '9' }),
    'offset and length behind the end': having(data(12), 'w.bin', { offset: '8', length: '8' }),
    'negative offset': having(data(8), 'w.bin', { offset: '-4' }),
    'offset that is no number': having(data(8), 'w.bin', { offset: '0x0' }),
    'offset beyond exact numbers': having(data(8), 'w.bin', { offset: '9007199254740993' }),
    'offset that comes round': having(data(8), 'w.bin', { offset: '18446744073709551608' }),
    fraction: having(data(8), 'w.bin', { offset: '0.5' }),
    'negative length': having(data(8), 'w.bin', { length: '-8' }),
    'length with a sign': having(data(8), 'w.bin', { length: '+8' }),
    'empty offset': having(data(8), 'w.bin', { offset: '' }),
  }),
  ...attacks('ONNX_E_TENSOR_LENGTH', {
    'length shorter than the shape': having(data(8), 'w.bin', { length: '4' }),
    'length longer than the shape': having(data(64), 'w.bin', { length: '16' }),
  }),
];
