import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WorkbenchError } from '../../base/errors.ts';
import { writeDurably } from '../../jobs/durable-files.ts';

/** The key of a workspace: made at the first bundle, kept in the workspace's folder, readable by its owner. */
export interface SigningKey {
  /** SPKI in DER, base64. */
  readonly publicKey: string;
  /** Base64. */
  sign(bytes: Uint8Array): string;
}

const keyFile = 'bundle-key.pem';

export function signingKey(workspaceDir: string): SigningKey {
  const file = join(workspaceDir, keyFile);
  const key = existsSync(file) ? readKey(file) : makeKey(file);
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
  return { publicKey, sign: (bytes) => sign(null, bytes, key).toString('base64') };
}

function readKey(file: string): KeyObject {
  try {
    const key = createPrivateKey(readFileSync(file));
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (thrown) {
    throw notAKey(file, thrown);
  }
  throw notAKey(file);
}

function notAKey(file: string, cause?: unknown): WorkbenchError {
  return new WorkbenchError('WORKSPACE_UNUSABLE', `The key that signs bundles cannot be read: ${file}`, {
    hint: 'Put back the file, or remove it: a new key is made, with another fingerprint.',
    ...(cause === undefined ? {} : { cause }),
  });
}

function makeKey(file: string): KeyObject {
  const { privateKey } = generateKeyPairSync('ed25519');
  writeDurably(file, [Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }))]);
  chmodSync(file, 0o600);
  return privateKey;
}

/** Whether `signature` (base64) is that of `bytes` by the key; false for whatever is no key or no signature. */
export function isSignedBy(publicKey: string, bytes: Uint8Array, signature: string): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), type: 'spki', format: 'der' });
    return key.asymmetricKeyType === 'ed25519' && verify(null, bytes, key, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

/** What people compare: the first 16 bytes of the SHA-256 of the key, in groups of four digits. */
export function fingerprintOf(publicKey: string): string {
  const digest = createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex').slice(0, 32);
  return (digest.match(/.{4}/g) ?? []).join('-');
}
