import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, isGrpcServiceError } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';

/** Attributes that every run carries; all are keywords. */
const SEARCH_ATTRIBUTES = ['SyncName', 'ClientId', 'Platform', 'SyncTrigger', 'RunStatus'] as const;

/** The Temporal server lacks something that it refuses to let us make; the message says what to do. */
class TemporalSetupError extends Error {
  override readonly name = 'TemporalSetupError';
}

/** INDEXED_VALUE_TYPE_KEYWORD of Temporal's API. */
const KEYWORD = 2;
const GRPC = {
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  unimplemented: 12,
  unauthenticated: 16,
} as const;
const REFUSALS: readonly number[] = [GRPC.permissionDenied, GRPC.unimplemented, GRPC.unauthenticated];
const PROPAGATION_MS = 60_000;
const MS_PER_DAY = 86_400_000;

export interface NamespaceOptions {
  readonly connection: Connection;
  readonly namespace: string;
  /** How long ended workflows stay visible in Temporal. */
  readonly retentionDays: number;
  /** Whether the retention is also given to a namespace that exists, which only its owner should do. */
  readonly applyTo: 'new' | 'new-and-existing';
}

/**
 * Makes the namespace unless it is there. Safe to repeat, also at the same time.
 *
 * @throws TemporalSetupError when the server does not let us make it
 */
export async function ensureNamespace(options: NamespaceOptions): Promise<void> {
  const { connection, namespace, retentionDays, applyTo } = options;
  const retention = msToTs(retentionDays * MS_PER_DAY);
  const { workflowService } = connection;
  // Made without a look first: the server remembers for a second that it did not find a namespace.
  const made = await unless(
    GRPC.alreadyExists,
    workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: retention }),
  ).catch(async (error: unknown) => {
    if (isRefusal(error) && (await unless(GRPC.notFound, workflowService.describeNamespace({ namespace })))) {
      return null;
    }
    throw refusal(
      error,
      `Make the namespace "${namespace}" there, or set TEMPORAL_NAMESPACE to one that exists.`,
    );
  });
  if (made === null && applyTo === 'new-and-existing') {
    await workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: retention },
    });
  }
}

/**
 * Registers the missing ones of our search attributes in a namespace and waits until the server knows them: a
 * workflow that carries an unknown one can't be started. Safe to repeat, also at the same time.
 *
 * @throws TemporalSetupError when one exists with another type, or the server does not let us add them
 */
export async function registerSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const giveUpAt = Date.now() + PROPAGATION_MS;
  for (let attempt = 1; ; attempt += 1) {
    if (attempt > 2) await sleep(250);
    const missing = await missingAttributes(connection, namespace);
    if (missing?.length === 0) return;
    if (Date.now() > giveUpAt) {
      throw new TemporalSetupError(
        `Temporal did not show the search attributes ${(missing ?? SEARCH_ATTRIBUTES).join(', ')} in namespace "${namespace}" within a minute of adding them. Try again.`,
      );
    }
    // A namespace that was just made is not known everywhere in a cluster at once.
    if (!missing) continue;
    const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
    const added = connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
    await unless(GRPC.alreadyExists, added).catch((error: unknown) => {
      throw refusal(
        error,
        `Add these keyword search attributes to namespace "${namespace}" there: ${missing.join(', ')}.`,
      );
    });
  }
}

/** Null when the namespace is not known yet. */
async function missingAttributes(connection: Connection, namespace: string): Promise<string[] | null> {
  const listed = await unless(GRPC.notFound, connection.operatorService.listSearchAttributes({ namespace }));
  if (!listed) return null;
  return SEARCH_ATTRIBUTES.filter((name) => {
    const type = listed.customAttributes[name];
    if (type !== undefined && type !== KEYWORD) {
      throw new TemporalSetupError(
        `The search attribute ${name} of namespace "${namespace}" has another type than Keyword. Remove it there, or set TEMPORAL_NAMESPACE to another namespace.`,
      );
    }
    return type === undefined;
  });
}

/** The answer, or null when the call failed with this gRPC code. */
async function unless<T>(code: number, call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === code) return null;
    throw error;
  }
}

function isRefusal(error: unknown): boolean {
  return isGrpcServiceError(error) && REFUSALS.includes(error.code);
}

function refusal(error: unknown, remedy: string): unknown {
  if (!isGrpcServiceError(error) || !isRefusal(error)) return error;
  return new TemporalSetupError(`The Temporal server refused: ${error.details}. ${remedy}`, { cause: error });
}
