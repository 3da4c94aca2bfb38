import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import { requestId } from 'hono/request-id';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Session } from '../installation/session.ts';
import { readSettings } from '../settings.ts';
import { offReason } from '../syncs/configured.ts';
import { type Api, newRouter } from './api.ts';
import { authenticate } from './authenticate.ts';
import { type DashboardFiles, dashboardRoutes } from './dashboard-files.ts';
import { dropEmptyBody } from './drop-empty-body.ts';
import { refuseInvalid } from './refuse-invalid.ts';
import { ProblemError, problemResponse } from './problems.ts';
import { auditRoutes } from './routes/audit.ts';
import { backupRoutes } from './routes/backups.ts';
import { carsAdminRoutes } from './routes/cars-admin.ts';
import { clientSyncRoutes } from './routes/client-syncs.ts';
import { clientRoutes } from './routes/clients.ts';
import { documentRoute } from './routes/document.ts';
import { eventRoutes } from './routes/events.ts';
import { fleetAdminRoutes } from './routes/fleet-admin.ts';
import { healthRoutes } from './routes/health.ts';
import { leadRoutes } from './routes/leads.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { quarantineRoutes } from './routes/quarantine.ts';
import { runDecisionRoutes } from './routes/run-decisions.ts';
import { runRoutes } from './routes/runs.ts';
import { scheduleRoutes } from './routes/schedules.ts';
import { loginRoute, sessionRoutes } from './routes/session.ts';
import { syncRoutes } from './routes/syncs.ts';
import { undoRoutes } from './routes/undo.ts';
import { tooLarge, UPLOAD_MAX_BYTES, uploadRoutes } from './routes/uploads.ts';
import { securityHeaders } from './security-headers.ts';
import { toProblem } from './to-problem.ts';

export interface AppParts {
  readonly session: Session;
  readonly config: Config;
  readonly log?: Logger;
  /** What this process sees of itself, for `/metrics`. */
  readonly metrics?: Api['metrics'];
  /** The built dashboard; without it there is only the API. */
  readonly dashboard?: DashboardFiles;
}

const BODY_MAX_BYTES = 1_048_576;
const LOGIN_MAX_BYTES = 4_096;
/** What a form adds to its file. */
const FORM_BYTES = 64 * 1024;
/** How long a request waits for Temporal; who waits for a run's end says so and waits longer. */
const TEMPORAL_ANSWER_MS = 8_000;

/**
 * The HTTP API and the dashboard, to be served or called. Everything below /api needs a token or a login.
 *
 * @throws ConfigurationError when a sync's variable has a wrong value
 */
export function createApp({ session, config, log, metrics, dashboard = [] }: AppParts) {
  const syncs = session.syncs.map((definition) => {
    const settings = readSettings(definition.settings, session.targets.env);
    return { definition, settings, off: offReason(definition, settings) };
  });
  const api: Api = { session, config, syncs, log, metrics };
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
  app.use(requestId(), securityHeaders());
  app.use('/api/session', limitBody(LOGIN_MAX_BYTES));
  app.route('/', loginRoute(api));
  app.use('/api/*', authenticate(api), async (c, next) => {
    c.header('Cache-Control', 'no-store');
    await session.client.withDeadline(Date.now() + TEMPORAL_ANSWER_MS, next);
  });
  app.use('/api/uploads/*', limitUpload());
  app.use('/api/*', unlessUpload(limitBody(BODY_MAX_BYTES)), dropEmptyBody);
  const groups = [
    fleetAdminRoutes,
    carsAdminRoutes,
    syncRoutes,
    runRoutes,
    runDecisionRoutes,
    undoRoutes,
    scheduleRoutes,
    quarantineRoutes,
    clientRoutes,
    clientSyncRoutes,
    leadRoutes,
    uploadRoutes,
    auditRoutes,
    backupRoutes,
    healthRoutes,
    metricsRoutes,
    sessionRoutes,
    eventRoutes,
  ];
  for (const routes of groups) app.route('/', routes(api));
  documentRoute(app);
  app.route('/', dashboardRoutes(dashboard));
  return app;
}

const limitBody = (maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: () => {
      throw new ProblemError('too-large', `A body may have at most ${maxSize} bytes.`);
    },
  });

/** Counts while the body comes in, and ends the upload as soon as it is too large. */
const limitUpload = () =>
  bodyLimit({
    maxSize: UPLOAD_MAX_BYTES + FORM_BYTES,
    onError: () => {
      throw tooLarge(UPLOAD_MAX_BYTES);
    },
  });

const unlessUpload = (limit: MiddlewareHandler): MiddlewareHandler =>
  createMiddleware((c, next) => (c.req.path.startsWith('/api/uploads/') ? next() : limit(c, next)));
