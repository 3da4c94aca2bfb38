import { bodyLimit } from 'hono/body-limit';
import { requestId } from 'hono/request-id';
import { secureHeaders } from 'hono/secure-headers';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Session } from '../installation/session.ts';
import { readSettings } from '../settings.ts';
import { offReason } from '../syncs/configured.ts';
import { type Api, newRouter } from './api.ts';
import { authenticate } from './authenticate.ts';
import { dropEmptyBody } from './drop-empty-body.ts';
import { refuseInvalid } from './refuse-invalid.ts';
import { ProblemError, problemResponse } from './problems.ts';
import { backupRoutes } from './routes/backups.ts';
import { carsAdminRoutes } from './routes/cars-admin.ts';
import { clientSyncRoutes } from './routes/client-syncs.ts';
import { clientRoutes } from './routes/clients.ts';
import { documentRoute } from './routes/document.ts';
import { fleetAdminRoutes } from './routes/fleet-admin.ts';
import { healthRoutes } from './routes/health.ts';
import { leadRoutes } from './routes/leads.ts';
import { quarantineRoutes } from './routes/quarantine.ts';
import { runDecisionRoutes } from './routes/run-decisions.ts';
import { runRoutes } from './routes/runs.ts';
import { scheduleRoutes } from './routes/schedules.ts';
import { syncRoutes } from './routes/syncs.ts';
import { toProblem } from './to-problem.ts';

export interface AppParts {
  readonly session: Session;
  readonly config: Config;
  readonly log?: Logger;
}

const BODY_MAX_BYTES = 1_048_576;
/** How long a request waits for Temporal; who waits for a run's end says so and waits longer. */
const TEMPORAL_ANSWER_MS = 8_000;

/**
 * The HTTP API, to be served or called. Everything below /api needs a token.
 *
 * @throws ConfigurationError when a sync's variable has a wrong value
 */
export function createApp({ session, config, log }: AppParts) {
  const syncs = session.syncs.map((definition) => {
    const settings = readSettings(definition.settings, session.targets.env);
    return { definition, settings, off: offReason(definition, settings) };
  });
  const api: Api = { session, config, syncs, log };
  const app = newRouter();
  app.defaultHook = refuseInvalid;
  app.onError((error, c) => {
    const problem = toProblem(error, c.get('requestId'));
    if (problem.code === 'unexpected' || problem.code === 'unavailable') {
      log?.error({ err: error, requestId: c.get('requestId') }, `${c.req.method} ${c.req.path} failed`);
    }
    return problemResponse(problem);
  });
  app.notFound((c) =>
    problemResponse(
      new ProblemError('not-found', `There is nothing at ${c.req.method} ${c.req.path}. See /openapi.json.`),
    ),
  );
  app.use(requestId(), secureHeaders());
  app.use('/api/*', authenticate(api), async (c, next) => {
    c.header('Cache-Control', 'no-store');
    await session.client.withDeadline(Date.now() + TEMPORAL_ANSWER_MS, next);
  });
  app.use(
    '/api/*',
    bodyLimit({
      maxSize: BODY_MAX_BYTES,
      onError: () => {
        throw new ProblemError('too-large', `A body may have at most ${BODY_MAX_BYTES} bytes.`);
      },
    }),
    dropEmptyBody,
  );
  const groups = [
    fleetAdminRoutes,
    carsAdminRoutes,
    syncRoutes,
    runRoutes,
    runDecisionRoutes,
    scheduleRoutes,
    quarantineRoutes,
    clientRoutes,
    clientSyncRoutes,
    leadRoutes,
    backupRoutes,
    healthRoutes,
  ];
  for (const routes of groups) app.route('/', routes(api));
  documentRoute(app);
  return app;
}
