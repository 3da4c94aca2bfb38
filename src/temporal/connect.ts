import { readFile } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { NativeConnection } from '@temporalio/worker';
import type { Config } from '../config.ts';

/** Where Temporal is, how to be let in, and how payloads are written there. */
export interface TemporalTarget {
  readonly address: string;
  readonly namespace: string;
  readonly dataConverter?: DataConverter;
  readonly apiKey?: string;
  readonly tls?: {
    readonly serverNameOverride?: string;
    readonly serverRootCACertificate?: Buffer;
    readonly clientCertPair?: { readonly crt: Buffer; readonly key: Buffer };
  };
}

/**
 * The target that `TEMPORAL_*` describes. TLS is on with an API key or with any TLS variable.
 *
 * @throws the file system's error when a certificate can't be read
 */
export async function temporalTarget(
  config: Config,
  address: string,
  namespace: string,
): Promise<TemporalTarget> {
  const { TEMPORAL_TLS_CERT: cert, TEMPORAL_TLS_KEY: key, TEMPORAL_TLS_CA: ca } = config;
  const serverName = config.TEMPORAL_TLS_SERVER_NAME;
  const wantsTls = cert !== undefined || ca !== undefined || serverName !== undefined;
  return {
    address,
    namespace,
    apiKey: config.TEMPORAL_API_KEY,
    tls: wantsTls
      ? {
          serverNameOverride: serverName,
          serverRootCACertificate: ca === undefined ? undefined : await readFile(ca),
          clientCertPair:
            cert === undefined || key === undefined
              ? undefined
              : { crt: await readFile(cert), key: await readFile(key) },
        }
      : undefined,
  };
}

export interface TemporalConnection {
  readonly client: Client;
  close(): Promise<void>;
}

const connectionOptions = ({ address, apiKey, tls }: TemporalTarget) => ({
  address,
  apiKey,
  tls: tls ?? (apiKey === undefined ? undefined : true),
});

/** Nothing answers at the address. */
class TemporalUnreachableError extends Error {
  override readonly name = 'TemporalUnreachableError';
}

/** For starting, asking and deciding. @throws TemporalUnreachableError after ten seconds */
export async function connectTemporal(target: TemporalTarget): Promise<TemporalConnection> {
  const options = { ...connectionOptions(target), connectTimeout: '10 s' as const };
  const connection = await Connection.connect(options).catch((error: unknown) => {
    throw new TemporalUnreachableError(
      `Temporal does not answer at ${target.address} (${error instanceof Error ? error.message : String(error)}). ` +
        'Is it running? Check TEMPORAL_ADDRESS and its TLS settings.',
    );
  });
  const client = new Client({
    connection,
    namespace: target.namespace,
    dataConverter: target.dataConverter,
  });
  return { client, close: () => connection.close() };
}

/** For a worker. Its native part takes long to load, so commands that need no worker go without. */
export async function connectWorker(target: TemporalTarget): Promise<NativeConnection> {
  const { NativeConnection } = await import('@temporalio/worker');
  return NativeConnection.connect(connectionOptions(target));
}
