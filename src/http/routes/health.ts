import { createRoute, z } from '@hono/zod-openapi';
import { sql } from 'kysely';
import { type Api, json, newRouter } from '../api.ts';
import { checkHealth } from '../../health/check-health.ts';
import { temporalHealth } from '../../temporal/temporal-health.ts';
import { needs } from '../authenticate.ts';
import { healthReportSchema } from '../health-schemas.ts';
import { COMMON_PROBLEMS, problem, ProblemError } from '../problems.ts';

const PROBE_MS = 3_000;

const alive = createRoute({
  method: 'get',
  path: '/healthz',
  tags: ['health'],
  summary: 'Whether this process is alive',
  security: [],
  responses: { 200: json(z.object({ status: z.literal('ok') }), 'It is.') },
});

const readySchema = z.object({
  status: z.literal('ready'),
  postgresql: z.literal('ok'),
  temporal: z.literal('ok'),
});

const ready = createRoute({
  method: 'get',
  path: '/readyz',
  tags: ['health'],
  summary: 'Whether PostgreSQL and Temporal answer',
  security: [],
  responses: {
    200: json(readySchema, 'Both do.'),
    503: problem('One of them does not; `unavailable` names which.'),
  },
});

const report = createRoute({
  method: 'get',
  path: '/api/health',
  tags: ['health'],
  summary: 'What is well and what is not',
  description:
    'Looks at everything now. The answer is 200 whatever it finds; `status` is that of the worst check.',
  ...needs('viewer'),
  responses: { 200: json(healthReportSchema, 'The report.'), ...COMMON_PROBLEMS },
});

/** For load balancers and orchestrators without a token, and for people with one. */
export function healthRoutes({ session, config, log }: Api) {
  const { database, client, syncs, targets } = session;
  const probes = {
    postgresql: () => sql`SELECT 1`.execute(database.db),
    temporal: () =>
      client.withDeadline(Date.now() + PROBE_MS, () =>
        client.workflowService.describeNamespace({ namespace: client.options.namespace }),
      ),
  };

  async function silent([name, probe]: [string, () => Promise<unknown>]): Promise<string[]> {
    try {
      await within(PROBE_MS, probe());
      return [];
    } catch (error) {
      log?.warn({ err: error }, `${name} does not answer`);
      return [name];
    }
  }

  return newRouter()
    .openapi(report, async (c) => {
      const env = { ...targets.env, DURASYNC_HOME: config.DURASYNC_HOME };
      const temporal = temporalHealth(client);
      const { timestamp, status, checks } = await checkHealth({ db: database.db, syncs, env, temporal });
      return c.json({ timestamp, status, checks: [...checks] }, 200);
    })
    .openapi(alive, (c) => c.json({ status: 'ok' as const }, 200))
    .openapi(ready, async (c) => {
      const unavailable = (await Promise.all(Object.entries(probes).map(silent))).flat();
      if (unavailable.length > 0) {
        throw new ProblemError('unavailable', `Not answering: ${unavailable.join(' and ')}.`, {
          unavailable,
        });
      }
      return c.json({ status: 'ready', postgresql: 'ok', temporal: 'ok' } as const, 200);
    });
}

async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
