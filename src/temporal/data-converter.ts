import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import type { KeyRing } from '../key-ring.ts';
import { createPayloadCodec, type PayloadMode } from './payload-codec.ts';

/** Also part of the workflow bundle of workers that seal. */
export const SEALING_FAILURE_CONVERTER = fileURLToPath(
  new URL('sealing-failure-converter.cjs', import.meta.url),
);

/** How clients and workers write to Temporal and read from it. All of an installation need the same. */
export function createDataConverter(keys: KeyRing, mode: PayloadMode): DataConverter {
  const payloadCodecs = [createPayloadCodec(keys, mode)];
  return mode === 'plain'
    ? { payloadCodecs }
    : { payloadCodecs, failureConverterPath: SEALING_FAILURE_CONVERTER };
}
