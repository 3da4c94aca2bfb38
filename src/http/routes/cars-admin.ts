import { createRoute, z } from '@hono/zod-openapi';
import { type Api, findSync, json, newRouter } from '../api.ts';
import { needs } from '../authenticate.ts';
import { waitQuery } from '../parameters.ts';
import { COMMON_PROBLEMS, problem } from '../problems.ts';
import { runResultSchema, startedRunSchema } from '../run-schemas.ts';
import { startRunByHand } from '../start-run.ts';

const request = z.strictObject({
  action: z.literal('status_refresh'),
  type: z.enum(['incremental', 'full']).openapi({
    description: 'The newest cars alone, or all of them; then cars that are no longer shown are marked too.',
  }),
});

const refresh = createRoute({
  method: 'post',
  path: '/api/admin/cars-sync',
  tags: ['cars'],
  summary: 'Start a run of the cars sync, or find the one under way',
  ...needs('operator'),
  request: {
    query: waitQuery,
    body: { content: { 'application/json': { schema: request } }, required: true },
  },
  responses: {
    200: json(runResultSchema, 'The result, for who waits.'),
    202: json(startedRunSchema, 'The run is under way.'),
    ...COMMON_PROBLEMS,
    409: problem('The sync is off; the detail names the variables that turn it on.'),
  },
});

/** The route that the administration of cars has always had. */
export function carsAdminRoutes(api: Api) {
  return newRouter().openapi(refresh, async (c) => {
    const answer = await startRunByHand(api, {
      sync: findSync(api, 'cars'),
      principal: c.get('principal'),
      input: { full: c.req.valid('json').type === 'full' },
      wait: c.req.valid('query').wait,
      signal: c.req.raw.signal,
    });
    return answer.outcome === 'ended' ? c.json(answer.result, 200) : c.json(answer.run, 202);
  });
}
