import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { afterAll } from 'vitest';
import { type Config, readConfig } from '../../src/config.ts';
import type { DatabaseConnection } from '../../src/db/connect.ts';
import { createToken, type Role, ROLES } from '../../src/db/tokens.ts';
import { createApp } from '../../src/http/app.ts';
import type { DashboardFiles } from '../../src/http/dashboard-files.ts';
import { startHttpApi } from '../../src/http/start-http-api.ts';
import type { ProcessMetrics } from '../../src/metrics/process-metrics.ts';
import type { KeyRing } from '../../src/key-ring.ts';
import type { Environment } from '../../src/settings.ts';
import { syncs } from '../../src/syncs/index.ts';
import { TEST_KEYS } from './test-keys.ts';

export interface HttpHarnessOptions {
  readonly database: DatabaseConnection;
  readonly client: Client;
  /** The variables of the syncs. */
  readonly env?: Environment;
  readonly config?: Partial<Config>;
  readonly log?: Logger;
  readonly metrics?: Pick<ProcessMetrics, 'text'>;
  /** Those of the workers, when they open what the API seals. */
  readonly keys?: KeyRing;
  readonly dashboard?: DashboardFiles;
}

interface CallOptions {
  /** Null for a call without a token; operator by default. */
  readonly token?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface HttpHarness {
  readonly url: string;
  readonly tokens: Readonly<Record<Role, string>>;
  /** @param call such as 'GET /api/runs' */
  call(call: string, options?: CallOptions): Promise<Answer>;
  /** Stops it before the end of the file. */
  close(): Promise<void>;
}

/** The HTTP API on a port of its own, with a token for each role. Stopped after the file's last test. */
export async function startHttpHarness(options: HttpHarnessOptions): Promise<HttpHarness> {
  const tokens = await Promise.all(
    ROLES.map(async (role) => [role, (await createToken(options.database.db, { role, name: role })).token]),
  );
  return serve(options, Object.fromEntries(tokens) as Record<Role, string>);
}

/** The same without tokens, for engines that don't answer. */
export async function serve(options: HttpHarnessOptions, tokens: Record<Role, string>): Promise<HttpHarness> {
  const { database, client, env = {}, log, metrics, keys = TEST_KEYS, dashboard } = options;
  const config = { ...readConfig({}), ...options.config };
  const targets = {
    mode: 'real' as const,
    databaseUrl: '',
    temporal: { address: '', namespace: client.options.namespace },
    temporalUiUrl: null,
    apiUrl: null,
    env,
    keys,
  };
  const session = { targets, database, client, syncs, close: async () => undefined };
  const api = await startHttpApi({ app: createApp({ session, config, log, metrics, dashboard }), config });
  afterAll(() => api.close());
  return {
    url: api.url,
    tokens,
    close: () => api.close(),
    call: async (call, { token = tokens.operator, body, headers = {}, signal } = {}) => {
      const [method, path] = call.split(' ');
      const response = await fetch(`${api.url}${path}`, {
        method,
        signal,
        body: body === undefined ? undefined : JSON.stringify(body),
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
      });
      return {
        status: response.status,
        headers: response.headers,
        body: isJson(response)
          ? ((await response.json()) as Answer['body'])
          : { text: await response.text() },
      };
    },
  };
}

const isJson = ({ headers }: Response): boolean => /[/+]json\b/.test(headers.get('content-type') ?? '');
