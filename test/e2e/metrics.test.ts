import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { startWorkerMetrics } from '../../src/http/start-worker-metrics.ts';
import { readConfig } from '../../src/config.ts';
import { choosePort } from '../../src/free-port.ts';
import { watchProcess } from '../../src/metrics/process-metrics.ts';
import { metricsText } from '../../src/metrics/text.ts';
import { syncs } from '../../src/syncs/index.ts';
import { startActivityHarness, tableOfRun } from '../support/activity-harness.ts';
import { createTestNamespace } from '../support/engines.ts';
import { startHttpHarness } from '../support/http-harness.ts';
import { TEST_KEYS } from '../support/test-keys.ts';

const harness = await startActivityHarness();
const { client } = await createTestNamespace();
const { database, call } = harness;
const metrics = watchProcess(database.pool);
afterAll(() => metrics.stop());
const env = { FMS_VEHICLES_CSV_URL: 'http://127.0.0.1:9/' };
const api = await startHttpHarness({ database, client, metrics, env });
const open = await startHttpHarness({ database, client, config: { DURASYNC_METRICS_PUBLIC: true } });
const read = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

async function scrape(url = api.url, token: string | null = api.tokens.viewer) {
  const response = await fetch(
    `${url}/metrics`,
    token ? { headers: { authorization: `Bearer ${token}` } } : {},
  );
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

/** A line of Prometheus' text format: a name, labels, and a number as Go reads it. */
const SAMPLE =
  /^([a-z_0-9]+)(?:\{[a-z_]+="[^"\n]*"(?:,[a-z_]+="[^"\n]*")*\})? (?:NaN|[+-]?Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/i;

const valueOf = (text: string, series: string): number | undefined => {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
};

/** A run of vehicles with so many rows. */
async function run(status: 'completed' | 'failed', inserted: number): Promise<void> {
  const plan = await harness.plan(['vehicles']);
  await database.pool.query(
    `UPDATE durasync.sync_run_tables SET inserted = $2, quarantined = 1 WHERE run_id = $1`,
    [plan.runId, inserted],
  );
  await database.pool.query(
    `UPDATE durasync.sync_runs SET started_at = clock_timestamp() - interval '20 seconds' WHERE run_id = $1`,
    [plan.runId],
  );
  await call('closeTable', { ...tableOfRun(plan, 'vehicles'), status, message: null });
  await call('finishRun', { runId: plan.runId });
  await call('finishRun', { runId: plan.runId });
}

beforeAll(async () => {
  await database.pool.query(
    `INSERT INTO durasync.watched_syncs VALUES ('fleet', now() - interval '50 hours')`,
  );
  await run('failed', 0);
  await run('completed', 5);
  await run('completed', 7);
});

describe('/metrics', () => {
  test('counts each run once, and goes on when its rows are removed', async () => {
    const before = (await scrape()).text;
    await database.pool.query('DELETE FROM durasync.sync_runs');
    for (const text of [before, (await scrape()).text]) {
      expect(valueOf(text, 'durasync_runs_total{sync="fleet",outcome="completed"}')).toBe(2);
      expect(valueOf(text, 'durasync_runs_total{sync="fleet",outcome="failed"}')).toBe(1);
      expect(valueOf(text, 'durasync_rows_total{sync="fleet",table="vehicles",outcome="inserted"}')).toBe(12);
      expect(valueOf(text, 'durasync_rows_total{sync="fleet",table="vehicles",outcome="quarantined"}')).toBe(
        3,
      );
      const series = 'durasync_run_duration_seconds';
      const bucket = (le: string) =>
        valueOf(text, `${series}_bucket{sync="fleet",outcome="completed",le="${le}"}`);
      expect([bucket('15'), bucket('30'), bucket('14400'), bucket('+Inf')]).toEqual([0, 2, 2, 2]);
      expect(valueOf(text, `${series}_sum{sync="fleet",outcome="completed"}`)).toBeGreaterThanOrEqual(40);
    }
  });

  test('shows how late a sync is, by its own schedule; one that is off is left out', async () => {
    const { text } = await scrape();
    const lag = valueOf(text, 'durasync_schedule_lag_seconds{sync="fleet"}') ?? 0;
    expect(lag).toBeGreaterThan(26 * 3_600 - 1);
    expect(lag).toBeLessThan(50 * 3_600);
    expect(valueOf(text, 'durasync_sync_stale{sync="fleet"}')).toBe(1);
    expect(text).not.toContain('sync="rentals"');
  });

  test('is well-formed: every value belongs to a metric that is described once', async () => {
    const { text, type } = await scrape();
    expect(type).toContain('text/plain');
    const lines = text
      .trimEnd()
      .split('\n')
      .filter((line) => line !== '');
    const described = lines.flatMap((line) => /^# TYPE (\S+) /.exec(line)?.[1] ?? []);
    expect(new Set(described).size).toBe(described.length);
    expect(described.length).toBeGreaterThan(20);
    for (const line of lines.filter((each) => !each.startsWith('#'))) {
      const [, name = ''] = SAMPLE.exec(line) ?? [];
      expect(described, line).toContain(
        described.includes(name) ? name : name.replace(/_(bucket|sum|count)$/, ''),
      );
    }
  });

  test('needs a token, unless it is public', async () => {
    expect((await scrape(api.url, null)).status).toBe(401);
    expect((await scrape(api.url, 'dsk_unknown')).status).toBe(401);
    expect(await scrape(open.url, null)).toMatchObject({
      status: 200,
      text: expect.stringContaining('durasync_runs_total'),
    });
  });

  test('counts requests to other systems, their throttles and what does not answer', async () => {
    const before = (await scrape()).text;
    const source = createServer((_request, response) => response.writeHead(429).end());
    await new Promise<void>((resolve) => source.listen(0, '127.0.0.1', resolve));
    const { port } = source.address() as AddressInfo;
    await (await request(`http://127.0.0.1:${port}/a?token=secret`)).body.dump();
    await new Promise((resolve) => source.close(resolve));
    await request('http://127.0.0.1:9/').catch(() => undefined);
    metrics.countFailure('stageTable', 'SourceThrottled');
    const { text } = await scrape();
    // The calls of this test are requests of this process, too.
    for (const series of [
      'durasync_source_requests_total{host="127.0.0.1",answer="4xx"}',
      'durasync_source_requests_total{host="127.0.0.1",answer="error"}',
      'durasync_source_throttles_total{host="127.0.0.1"}',
    ]) {
      expect((valueOf(text, series) ?? 0) - (valueOf(before, series) ?? 0), series).toBe(1);
    }
    expect(valueOf(text, 'durasync_step_failures_total{activity="stageTable",code="SourceThrottled"}')).toBe(
      1,
    );
    expect(valueOf(text, 'durasync_database_connections_max')).toBe(12);
    expect(text).not.toContain('secret');
  });
});

test('a worker serves its own metrics and those of the SDK to who may read them', async () => {
  const sdk = createServer((_request, response) => response.end('temporal_request 3\n'));
  await new Promise<void>((resolve) => sdk.listen(0, '127.0.0.1', resolve));
  const { port: sdkPort } = sdk.address() as AddressInfo;
  const targets = {
    mode: 'real' as const,
    databaseUrl: '',
    temporalUiUrl: null,
    apiUrl: null,
    env: {},
    keys: TEST_KEYS,
  };
  const session = {
    targets: { ...targets, temporal: { address: '', namespace: '' } },
    database,
    client,
    syncs,
    close: async () => undefined,
  };
  const served = await startWorkerMetrics({
    session,
    config: readConfig({}),
    log: pino({ level: 'silent' }),
    port: await choosePort({ use: 'a test', preferred: 21_000, fixedBy: null }),
    metrics,
    sdkUrl: `http://127.0.0.1:${sdkPort}/metrics`,
  });
  expect((await scrape(served.url, null)).status).toBe(401);
  const { text } = await scrape(served.url);
  expect(valueOf(text, 'temporal_request')).toBe(3);
  expect(text).toContain('durasync_database_waiting 0');
  sdk.closeAllConnections();
  await new Promise((resolve) => sdk.close(resolve));
  expect((await scrape(served.url)).text).toContain('durasync_database_waiting 0');
  expect((await fetch(`${served.url}/api/runs`)).status).toBe(404);
  await served.close();
});

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

describe('docs/alerts.yml', () => {
  const { groups } = parse(read('alerts.yml')) as { groups: { name: string; rules: Rule[] }[] };
  const rules = groups.flatMap((group) => group.rules);

  test('has rules that Prometheus understands, each explained in docs/metrics.md', () => {
    expect(rules.length).toBeGreaterThan(10);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, expr, labels, annotations, ...rest } of rules) {
      expect(alert).toMatch(/^Durasync[A-Z]\w+$/);
      expect(expr.split('(').length, alert).toBe(expr.split(')').length);
      expect(['critical', 'warning']).toContain(labels.severity);
      expect(Object.keys(annotations)).toEqual(['summary', 'description']);
      for (const text of Object.values(annotations)) expect(text.length, alert).toBeGreaterThan(10);
      expect(rest.for ?? '0m').toMatch(/^\d+[mh]$/);
      expect(read('metrics.md')).toContain(`\`${alert}\``);
    }
  });

  test('asks only for metrics that there are', async () => {
    const { text } = await scrape();
    // These are shown once there is something to show.
    const later = [
      'durasync_runs_open',
      'durasync_health_check',
      'durasync_health_checked_timestamp_seconds',
      'durasync_notifications_unsent',
    ];
    const named = rules.flatMap(({ expr }) => expr.match(/durasync_[a-z_]+/g) ?? []);
    expect(named.length).toBeGreaterThan(10);
    for (const name of new Set(named)) {
      const base = name.replace(/_bucket$/, '');
      expect(text.includes(`# TYPE ${base} `) || later.includes(base), name).toBe(true);
    }
  });
});

test('a label may hold any text', () => {
  const samples = [{ labels: { check: 'a "b"\\\nc' }, value: 1 }];
  expect(metricsText([{ name: 'a_metric', help: 'A metric.', type: 'gauge', samples }])).toBe(
    '# HELP a_metric A metric.\n# TYPE a_metric gauge\na_metric{check="a \\"b\\"\\\\\\nc"} 1\n',
  );
  expect(metricsText([{ name: 'none', help: '', type: 'gauge', samples: [] }])).toBe('');
});
