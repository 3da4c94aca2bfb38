import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { loadDataConverter } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { expect, test } from 'vitest';
import type { RunId } from '../../src/domain/ids.ts';
import { createKeyRing } from '../../src/key-ring.ts';
import { readPendingWork } from '../../src/temporal/pending-work.ts';
import { createDataConverter } from '../../src/temporal/data-converter.ts';
import { createPayloadCodec, sealedWithKey, visibly } from '../../src/temporal/payload-codec.ts';

const key = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const [k1, k2] = [key('k1'), key('k2')];
const codec = (keys: string, mode: 'sealed' | 'plain' = 'sealed') =>
  createPayloadCodec(createKeyRing(keys), mode);
const payload = (value: unknown) => defaultPayloadConverter.toPayload(value);
const valueOf = (sealed: ReturnType<typeof payload>): unknown => defaultPayloadConverter.fromPayload(sealed);
const textOf = (sealed: object): string =>
  JSON.stringify(sealed, (_name, value: unknown) => bytesAsText(value));
const bytesAsText = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value
    ? Buffer.from(value.data as number[]).toString('latin1')
    : value;

test('a payload comes back as it was, and shows nothing but the id of its key meanwhile', async () => {
  const value = { sync: 'fleet', tables: ['vehicles'] };
  const [sealed] = await codec(k1).encode([payload(value)]);
  if (!sealed) throw new Error('nothing was sealed');
  expect(textOf(sealed)).not.toMatch(/fleet|vehicles|json/);
  expect(sealedWithKey(sealed)).toBe('k1');
  const [opened] = await codec(k1).decode([sealed]);
  expect(opened && valueOf(opened)).toEqual(value);
});

test('payloads of every key of the ring are opened, plain ones too, and the first key seals', async () => {
  const old = await codec(k1).encode([payload('old')]);
  const ring = codec(`${k2},${k1}`);
  const opened = await ring.decode([...old, payload('plain'), ...(await ring.encode([payload('new')]))]);
  expect(opened.map(valueOf)).toEqual(['old', 'plain', 'new']);
  expect((await ring.encode([payload('new')])).map(sealedWithKey)).toEqual(['k2']);
});

test('without sealing payloads stay plain, and sealed ones are still opened', async () => {
  const off = codec(k1, 'plain');
  const plain = payload('x');
  expect(await off.encode([plain])).toEqual([plain]);
  expect((await off.decode(await codec(k1).encode([plain]))).map(valueOf)).toEqual(['x']);
});

test('an unknown key, another key id and an altered byte are refused without showing anything', async () => {
  const [sealed] = await codec(k1).encode([payload('a secret value')]);
  const { metadata, data } = sealed ?? {};
  if (!metadata || !data) throw new Error('nothing was sealed');
  await expect(codec(k2).decode([{ metadata, data }])).rejects.toThrow(/key 'k1'.*does not hold/);
  const renamed = { ...metadata, 'encryption-key-id': Buffer.from('k2') };
  await expect(codec(`${k2},${k1}`).decode([{ metadata: renamed, data }])).rejects.toThrow(/altered/);
  const altered = Buffer.from(data);
  altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
  await expect(codec(k1).decode([{ metadata, data: altered }])).rejects.toThrow(/altered/);
  await expect(codec(k1).decode([{ metadata, data: data.subarray(0, 20) }])).rejects.toThrow(/altered/);
});

test('a mark that outlives every key stays readable', async () => {
  const marked = defaultPayloadConverter.toPayload(visibly('durasync'));
  const [kept] = await codec(k1).encode([marked]);
  expect(kept && valueOf(kept)).toBe('durasync');
});

test.each(['sealed', 'plain'] as const)('what open steps say is shown when payloads are %s', async (mode) => {
  const [progress, failure] = await codec(k1, mode).encode([
    payload('500 rows'),
    payload({ message: 'it broke' }),
  ]);
  const raw = {
    pendingActivities: [
      { attempt: 1, heartbeatDetails: { payloads: [progress] } },
      { attempt: 2, lastFailure: { message: 'Encoded failure', encodedAttributes: failure } },
      { attempt: 2, lastFailure: { message: 'a plain one' } },
    ],
  };
  const client = {
    options: { loadedDataConverter: loadDataConverter(createDataConverter(createKeyRing(k1), mode)) },
    workflow: { getHandle: () => ({ describe: async () => ({ raw }) }) },
  };
  const said = await readPendingWork(client as unknown as Client, 'sync/fleet', 'run' as RunId);
  expect(said).toEqual(['500 rows', 'attempt 2: it broke', 'attempt 2: a plain one']);
});
