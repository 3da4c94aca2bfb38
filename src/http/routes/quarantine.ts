import { createRoute, z } from '@hono/zod-openapi';
import { listQuarantined } from '../../db/quarantine-list.ts';
import { type Api, json, newRouter } from '../api.ts';
import { needs } from '../authenticate.ts';
import { limit } from '../parameters.ts';
import { COMMON_PROBLEMS, problem, ProblemError } from '../problems.ts';
import { quarantinedRowSchema } from '../quarantine-schemas.ts';

const ROWS_LISTED = 50;

const list = createRoute({
  method: 'get',
  path: '/api/quarantine',
  tags: ['quarantine'],
  summary: 'Rows that could not be taken, newest first',
  ...needs('viewer'),
  request: {
    query: z.strictObject({
      sync: z.string().optional(),
      table: z.string().optional(),
      run_id: z.string().optional(),
      limit: limit(ROWS_LISTED),
    }),
  },
  responses: { 200: json(z.array(quarantinedRowSchema), 'The rows.'), ...COMMON_PROBLEMS },
});

const show = createRoute({
  method: 'get',
  path: '/api/quarantine/{id}',
  tags: ['quarantine'],
  summary: 'One row that could not be taken',
  ...needs('viewer'),
  request: { params: z.object({ id: z.string() }) },
  responses: {
    200: json(quarantinedRowSchema, 'The row.'),
    ...COMMON_PROBLEMS,
    404: problem('There is no such row.'),
  },
});

/** Reading quarantined rows. */
export function quarantineRoutes(api: Api) {
  const { db } = api.session.database;
  return newRouter()
    .openapi(list, async (c) => {
      const { run_id: runId, ...filter } = c.req.valid('query');
      return c.json(await listQuarantined(db, { ...filter, runId }), 200);
    })
    .openapi(show, async (c) => {
      const { id } = c.req.valid('param');
      const number = Number(id);
      const known = /^\d+$/.test(id) && Number.isSafeInteger(number);
      const [row] = known ? await listQuarantined(db, { id: number, limit: 1 }) : [];
      if (!row) throw new ProblemError('not-found', `There is no quarantined row '${id}'.`);
      return c.json(row, 200);
    });
}
