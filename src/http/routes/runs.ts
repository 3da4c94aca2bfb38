import { createRoute, z } from '@hono/zod-openapi';
import { listRuns, readDecisions, readReviews, readRunOrigin } from '../../db/run-list.ts';
import { type Api, json, newRouter } from '../api.ts';
import { needs } from '../authenticate.ts';
import { findRun } from '../find-run.ts';
import { limit } from '../parameters.ts';
import { COMMON_PROBLEMS, problem } from '../problems.ts';
import { RUN_STATUSES } from '../../domain/run-result.ts';
import { RUN_KINDS, runDetailSchema, runSummarySchema } from '../run-schemas.ts';

const RUNS_LISTED = 20;

const list = createRoute({
  method: 'get',
  path: '/api/runs',
  tags: ['runs'],
  summary: 'The history of runs, newest first',
  ...needs('viewer'),
  request: {
    query: z.strictObject({
      sync: z.string().optional(),
      status: z.enum(RUN_STATUSES).optional(),
      kind: z.enum(RUN_KINDS).optional(),
      before: z.iso.datetime().optional().openapi({
        description: 'Only runs that began before, for the next page.',
      }),
      limit: limit(RUNS_LISTED),
    }),
  },
  responses: { 200: json(z.array(runSummarySchema), 'The runs.'), ...COMMON_PROBLEMS },
});

const show = createRoute({
  method: 'get',
  path: '/api/runs/{id}',
  tags: ['runs'],
  summary: 'One run with its decisions, and what was shown of a planned or held one',
  ...needs('viewer'),
  request: { params: z.object({ id: z.string() }) },
  responses: {
    200: json(runDetailSchema, 'The run so far, or as it ended.'),
    ...COMMON_PROBLEMS,
    404: problem('There is no such run.'),
  },
});

/** Reading runs. */
export function runRoutes(api: Api) {
  const { db } = api.session.database;
  return newRouter()
    .openapi(list, async (c) => c.json(await listRuns(db, c.req.valid('query')), 200))
    .openapi(show, async (c) => {
      const { runId, workflowId, result } = await findRun(api, c.req.valid('param').id);
      const [decisions, reviews, origin] = await Promise.all([
        readDecisions(db, runId),
        readReviews(db, runId),
        readRunOrigin(db, runId),
      ]);
      return c.json({ ...result, workflow_id: workflowId, origin, decisions, reviews }, 200);
    });
}
