import { createRoute, z } from '@hono/zod-openapi';
import { createMiddleware } from 'hono/factory';
import { readHealthMetrics } from '../../metrics/health-metrics.ts';
import { readRunMetrics } from '../../metrics/run-metrics.ts';
import { metricsText } from '../../metrics/text.ts';
import { type Api, type ApiEnv, newRouter } from '../api.ts';
import { authenticate, needs } from '../authenticate.ts';
import { COMMON_PROBLEMS } from '../problems.ts';

/** The text format of Prometheus. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const route = createRoute({
  method: 'get',
  path: '/metrics',
  tags: ['health'],
  summary: 'Metrics for Prometheus',
  description: 'Without a token when DURASYNC_METRICS_PUBLIC is true.',
  ...needs('viewer'),
  responses: {
    200: {
      description: 'In the text format of Prometheus.',
      content: { 'text/plain': { schema: z.string() } },
    },
    ...COMMON_PROBLEMS,
  },
});

/** Metrics of runs, from PostgreSQL; and of this process. */
export function metricsRoutes(api: Api) {
  const { session, metrics } = api;
  const { db } = session.database;
  const router = newRouter();
  router.use('/metrics', metricsAccess(api));
  return router.openapi(route, async (c) => {
    const [runs, health, own] = await Promise.all([
      readRunMetrics(db),
      readHealthMetrics({ db, syncs: session.syncs, env: session.targets.env }),
      metrics?.text() ?? '',
    ]);
    return c.text(metricsText([...runs, ...health]) + own, 200, { 'Content-Type': METRICS_TYPE });
  });
}

/** Who may read metrics: who has a token or a login, or everybody. */
export const metricsAccess = (api: Api) => (api.config.DURASYNC_METRICS_PUBLIC ? letIn : authenticate(api));

/** Everybody is a viewer here. */
const letIn = createMiddleware<ApiEnv>(async (c, next) => {
  c.set('principal', { actor: 'anybody', role: 'viewer', tokenId: 'none' });
  await next();
});
