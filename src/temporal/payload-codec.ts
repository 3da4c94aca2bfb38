import { defaultPayloadConverter, type Payload, type PayloadCodec, RawValue } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { Config } from '../config.ts';
import type { KeyRing } from '../key-ring.ts';

// CommonJS, whose exports node does not see by name.
const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/** The names that a codec server and other SDKs would look for. */
const ENCODING = 'encoding';
const ENCRYPTED = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
/** Marks what is never sealed. */
const VISIBLE = 'durasync-visible';
const OWNER = 'a Temporal payload';

/** Whether what is written to Temporal from now on is sealed. What was sealed is opened in any case. */
export type PayloadMode = 'sealed' | 'plain';

export const payloadMode = (config: Pick<Config, 'DURASYNC_ENCRYPT_PAYLOADS'>): PayloadMode =>
  config.DURASYNC_ENCRYPT_PAYLOADS ? 'sealed' : 'plain';

/**
 * Seals every payload with the first key of the ring, and opens what any of its keys has sealed. Payloads that
 * are not sealed pass, so that the mode can be changed while workflows run, and plain tools can start them.
 *
 * @returns a codec whose `decode` throws SealedSecretError for an unknown key or an altered payload
 */
export function createPayloadCodec(
  keys: Pick<KeyRing, 'keyId' | 'sealBytes' | 'openBytes'>,
  mode: PayloadMode,
): PayloadCodec {
  const seal = (payload: Payload): Payload =>
    textOf(payload, VISIBLE) === undefined
      ? {
          metadata: { [ENCODING]: Buffer.from(ENCRYPTED), [KEY_ID]: Buffer.from(keys.keyId) },
          data: keys.sealBytes(PayloadMessage.encode(payload).finish(), OWNER),
        }
      : payload;
  const open = (payload: Payload): Payload => {
    if (!isSealed(payload)) return payload;
    const keyId = textOf(payload, KEY_ID) ?? '';
    return PayloadMessage.decode(keys.openBytes(keyId, payload.data ?? new Uint8Array(), OWNER));
  };
  return {
    encode: async (payloads) => (mode === 'plain' ? payloads : payloads.map(seal)),
    decode: async (payloads) => payloads.map(open),
  };
}

const isSealed = (payload: Payload): boolean => textOf(payload, ENCODING) === ENCRYPTED;

function textOf({ metadata }: Pick<Payload, 'metadata'>, name: string): string | undefined {
  const value = metadata?.[name];
  return value && Buffer.from(value).toString();
}

/** The id of the key that sealed a payload as the server has it; undefined for one that is not sealed. */
export const sealedWithKey = (payload: Payload): string | undefined =>
  isSealed(payload) ? textOf(payload, KEY_ID) : undefined;

/** The id of the key that this client seals with; undefined when it does not seal. */
export async function sealingKeyOf({ options }: Client): Promise<string | undefined> {
  const { payloadCodecs } = options.loadedDataConverter;
  let payloads = [defaultPayloadConverter.toPayload('')];
  for (const codec of payloadCodecs) payloads = await codec.encode(payloads);
  return payloads[0] && sealedWithKey(payloads[0]);
}

/** A value that stays readable when payloads are sealed: for marks that outlive every key. Never for secrets. */
export function visibly(value: string): RawValue {
  const { metadata, data } = defaultPayloadConverter.toPayload(value);
  return RawValue.fromPayload({ metadata: { ...metadata, [VISIBLE]: Buffer.from('1') }, data });
}
