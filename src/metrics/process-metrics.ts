import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type pg from 'pg';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface ProcessMetrics {
  /** In Prometheus's text format. */
  text(): Promise<string>;
  /** Counts a step that failed, by its code. */
  countFailure(activity: string, code: string): void;
  /** Stops watching requests. */
  stop(): void;
}

/** So many other systems are told apart; the rest is 'other'. */
const HOSTS_MAX = 50;
/** Shops have a host each; their platform is what says something. */
const SHOPS = /^[^.]+\.(myshopify\.com)$/;
const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const TOO_MANY_REQUESTS = 429;

/** What one process sees of itself: requests to other systems, its database connections, memory and event loop. */
export function watchProcess(pool: pg.Pool): ProcessMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Counter({
    name: 'durasync_source_requests_total',
    help: 'Requests to other systems, by host and the first digit of the answer (or error).',
    labelNames: ['host', 'answer'],
    registers,
  });
  const throttles = new Counter({
    name: 'durasync_source_throttles_total',
    help: 'Requests that another system answered with 429 Too Many Requests.',
    labelNames: ['host'],
    registers,
  });
  const seconds = new Histogram({
    name: 'durasync_source_request_seconds',
    help: 'Time until the answer of another system began.',
    labelNames: ['host'],
    buckets: SECONDS,
    registers,
  });
  const failures = new Counter({
    name: 'durasync_step_failures_total',
    help: 'Attempts of steps that failed, by code; SourceThrottled are those that were asked to wait.',
    labelNames: ['activity', 'code'],
    registers,
  });
  watchPool(pool, registers);
  const stop = watchRequests((host, status, took) => {
    requests.inc({ host, answer: status === null ? 'error' : `${Math.floor(status / 100)}xx` });
    if (status === TOO_MANY_REQUESTS) throttles.inc({ host });
    if (status !== null) seconds.observe({ host }, took);
  });
  return {
    text: () => registry.metrics(),
    countFailure: (activity, code) => failures.inc({ activity, code }),
    stop,
  };
}

function watchPool(pool: pg.Pool, registers: Registry[]): void {
  const connections = new Gauge({
    name: 'durasync_database_connections',
    help: 'Connections of this process to PostgreSQL.',
    labelNames: ['state'],
    registers,
    collect() {
      connections.set({ state: 'used' }, pool.totalCount - pool.idleCount);
      connections.set({ state: 'idle' }, pool.idleCount);
    },
  });
  const waiting = new Gauge({
    name: 'durasync_database_waiting',
    help: 'What waits for a connection to PostgreSQL.',
    registers,
    collect() {
      waiting.set(pool.waitingCount);
    },
  });
  const most = new Gauge({
    name: 'durasync_database_connections_max',
    help: 'How many connections to PostgreSQL this process may have.',
    registers,
  });
  most.set(pool.options.max);
}

/** Told the host, the status (null for no answer) and the seconds of every request. */
function watchRequests(told: (host: string, status: number | null, seconds: number) => void): () => void {
  const begun = new WeakMap<object, number>();
  const hosts = new Set<string>();
  const nameOf = (origin: unknown): string => {
    const host = typeof origin === 'string' && URL.canParse(origin) ? new URL(origin).hostname : 'other';
    const name = SHOPS.exec(host)?.[1] ?? host;
    if (hosts.size < HOSTS_MAX) hosts.add(name);
    return hosts.has(name) ? name : 'other';
  };
  const end = (request: Request, status: number | null): void => {
    const startedAt = begun.get(request);
    if (startedAt === undefined) return;
    begun.delete(request);
    told(nameOf(request.origin), status, (performance.now() - startedAt) / 1_000);
  };
  const listeners: [string, (message: unknown) => void][] = [
    ['undici:request:create', (message) => void begun.set((message as Told).request, performance.now())],
    [
      'undici:request:headers',
      (message) => end((message as Told).request, (message as Told).response?.statusCode ?? null),
    ],
    ['undici:request:error', (message) => end((message as Told).request, null)],
  ];
  for (const [channel, listener] of listeners) subscribe(channel, listener);
  return () => listeners.forEach(([channel, listener]) => unsubscribe(channel, listener));
}

interface Request {
  readonly origin?: unknown;
}

/** What undici says on its diagnostics channels. */
interface Told {
  readonly request: Request;
  readonly response?: { readonly statusCode: number };
}
