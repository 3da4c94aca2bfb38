import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import type { Home } from '../home/home.ts';
import type { Environment } from '../settings.ts';
import { connectTemporal } from '../temporal/connect.ts';
import { startReconcile, startSweep } from '../temporal/runs.ts';
import { findTargets } from './session.ts';

export interface Reconciled {
  /** `started`: a worker has not come to it yet. */
  readonly outcome: 'done' | 'started' | 'not-needed' | 'unreachable';
  readonly message: string;
}

const WAIT_MS = 20_000;

/** Lets the workflows of clients follow a restored database, when it is the one that Temporal's workers work on. */
export async function reconcileAfterRestore(
  config: Config,
  home: Home,
  env: Environment,
  restored: string,
): Promise<Reconciled> {
  const targets = await findTargets(config, home, env).catch(() => null);
  if (targets && !isSameDatabase(targets.databaseUrl, restored)) {
    return {
      outcome: 'not-needed',
      message: 'Durasync works on another database, so no workflow was touched.',
    };
  }
  const temporal = targets ? await connectTemporal(targets.temporal).catch(() => null) : null;
  if (!temporal) {
    const message =
      'Temporal was not reached; the workflows of clients follow when a worker starts, or within the hour.';
    return { outcome: 'unreachable', message };
  }
  const { client } = temporal;
  try {
    await startSweep(client);
    await startReconcile(client);
    const ended = client.workflow.getHandle('clients-reconcile').result();
    ended.catch(() => undefined);
    const outcome = await Promise.race([
      ended.then(() => 'done' as const),
      sleep(WAIT_MS, 'started' as const),
    ]);
    const message =
      outcome === 'done'
        ? 'The workflows of clients follow the restored database.'
        : 'The workflows of clients will follow the restored database once a worker runs.';
    return { outcome, message };
  } finally {
    await temporal.close();
  }
}

function isSameDatabase(one: string, other: string): boolean {
  const place = (text: string): string => {
    const { hostname, port, pathname } = new URL(text);
    const host = hostname === 'localhost' || hostname === '[::1]' ? '127.0.0.1' : hostname;
    return `${host}:${port || '5432'}${pathname}`;
  };
  return place(one) === place(other);
}
