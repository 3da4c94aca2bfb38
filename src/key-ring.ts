import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Config } from './config.ts';
import { type Home, writePrivateFile } from './home/home.ts';
import { ConfigurationError } from './settings.ts';

/** Something sealed cannot be opened; the message never holds what is inside. */
export class SealedSecretError extends Error {
  override readonly name = 'SealedSecretError';
}

/**
 * Seals secrets for the database with AES-256-GCM. The first key seals, all of them open, so a new first key can
 * be brought in while old secrets are still there.
 */
export interface KeyRing {
  /** The key that seals. */
  readonly keyId: string;
  /** @param owner what the secret belongs to; it only opens for the same owner */
  seal(secret: string, owner: string): string;
  /** @throws SealedSecretError when the key is unknown, or the text was altered or belongs to another owner */
  open(sealed: string, owner: string): string;
  /** Whether the ring holds the key with this id. */
  holds(keyId: string): boolean;
  /** A mark that only holders of the key can make, as `keyId:base64`. @param purpose keeps marks of different kinds apart */
  sign(text: string, purpose: string): string;
  /** Whether the mark was made for this very text and purpose. @throws SealedSecretError when its key is unknown */
  isSigned(text: string, purpose: string, signature: string): boolean;
  /** The same for bytes; what is sealed goes with the first key's id. */
  sealBytes(secret: Uint8Array, owner: string): Buffer;
  /** @throws SealedSecretError as `open` does */
  openBytes(keyId: string, sealed: Uint8Array, owner: string): Buffer;
}

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * @param keys `id:base64,…`, each key 32 bytes
 * @throws ConfigurationError naming the entry that is wrong, never its key
 */
export function createKeyRing(keys: string): KeyRing {
  const entries = keys.split(',').map((entry) => readEntry(entry.trim()));
  const [first] = entries;
  if (!first) throw new ConfigurationError('DURASYNC_SECRET_KEYS holds no key.');
  const byId = new Map(entries.map(({ id, key }) => [id, key]));
  const sealParts = (secret: Uint8Array, owner: string): [iv: Buffer, tag: Buffer, text: Buffer] => {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, first.key, iv).setAAD(aad(first.id, owner));
    const text = Buffer.concat([cipher.update(secret), cipher.final()]);
    return [iv, cipher.getAuthTag(), text];
  };
  const openParts = (id: string, parts: readonly (Uint8Array | undefined)[], owner: string): Buffer => {
    const key = byId.get(id);
    if (!key) {
      throw new SealedSecretError(
        `The secret of ${owner} is sealed with the key '${id}', which DURASYNC_SECRET_KEYS does not hold.`,
      );
    }
    try {
      const [iv, tag, text] = parts;
      if (!iv || !text || tag?.length !== TAG_BYTES) throw new Error('a part is missing');
      const decipher = createDecipheriv(ALGORITHM, key, iv).setAAD(aad(id, owner)).setAuthTag(tag);
      return Buffer.concat([decipher.update(text), decipher.final()]);
    } catch {
      throw new SealedSecretError(
        `The secret of ${owner} was altered, or its key '${id}' is another one now.`,
      );
    }
  };
  return {
    keyId: first.id,
    seal: (secret, owner) => {
      const parts = sealParts(Buffer.from(secret), owner);
      return [first.id, ...parts.map((part) => part.toString('base64'))].join(':');
    },
    open: (sealed, owner) => {
      const [id = '', ...parts] = sealed.split(':');
      const decoded = parts.map((part) => Buffer.from(part, 'base64'));
      return openParts(id, decoded, owner).toString('utf8');
    },
    sealBytes: (secret, owner) => Buffer.concat(sealParts(secret, owner)),
    openBytes: (id, sealed, owner) => {
      const textAt = IV_BYTES + TAG_BYTES;
      const parts = [
        sealed.subarray(0, IV_BYTES),
        sealed.subarray(IV_BYTES, textAt),
        sealed.subarray(textAt),
      ];
      return openParts(id, parts, owner);
    },
    holds: (keyId) => byId.has(keyId),
    sign: (text, purpose) => `${first.id}:${mark(first.key, text, purpose).toString('base64')}`,
    isSigned: (text, purpose, signature) => {
      const id = sealedWith(signature);
      const key = byId.get(id);
      if (!key) {
        throw new SealedSecretError(`The key '${id}' is needed, which DURASYNC_SECRET_KEYS does not hold.`);
      }
      const given = Buffer.from(signature.slice(id.length + 1), 'base64');
      const wanted = mark(key, text, purpose);
      return given.length === wanted.length && timingSafeEqual(given, wanted);
    },
  };
}

/** With a key of its own for each purpose, so that no mark says anything about what is sealed. */
const mark = (key: Buffer, text: string, purpose: string): Buffer =>
  createHmac('sha256', Buffer.from(hkdfSync('sha256', key, '', purpose, KEY_BYTES)))
    .update(text)
    .digest();

/** The id of the key that a sealed text needs. */
export const sealedWith = (sealed: string): string => sealed.slice(0, sealed.indexOf(':'));

const aad = (keyId: string, owner: string): Buffer => Buffer.from(`${keyId}\n${owner}`);

function readEntry(entry: string): { id: string; key: Buffer } {
  const at = entry.indexOf(':');
  const id = entry.slice(0, Math.max(at, 0));
  const key = Buffer.from(entry.slice(at + 1), 'base64');
  if (!/^[A-Za-z0-9_-]+$/.test(id) || key.length !== KEY_BYTES) {
    throw new ConfigurationError(
      `DURASYNC_SECRET_KEYS: the entry '${id}' must be id:key, the key being ${KEY_BYTES} bytes in base64.`,
    );
  }
  return { id, key };
}

/**
 * The key ring of this installation: from DURASYNC_SECRET_KEYS, or with the embedded database from the home,
 * where a key is made and kept (mode 600) at first use. Safe to repeat.
 */
export async function openKeyRing(config: Config, home: Home): Promise<KeyRing> {
  if (config.DURASYNC_SECRET_KEYS !== undefined) return createKeyRing(config.DURASYNC_SECRET_KEYS);
  const path = home.path('secret-keys');
  const kept = await readFile(path, 'utf8').catch(() => null);
  if (kept !== null) return createKeyRing(kept.trim());
  const made = `k1:${randomBytes(KEY_BYTES).toString('base64')}`;
  await writePrivateFile(path, made);
  return createKeyRing(made);
}
