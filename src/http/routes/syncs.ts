import { createRoute, z } from '@hono/zod-openapi';
import { listRuns } from '../../db/run-list.ts';
import { type Api, type ConfiguredSync, findSync, json, newRouter, optionalBody } from '../api.ts';
import { needs } from '../authenticate.ts';
import { waitQuery } from '../parameters.ts';
import { COMMON_PROBLEMS, problem } from '../problems.ts';
import { runResultSchema, startedRunSchema } from '../run-schemas.ts';
import { startRunByHand } from '../start-run.ts';
import { syncSchema } from '../sync-schemas.ts';

/** Enough for a small plot. */
const RECENT_RUNS = 24;

const day = (description: string) => z.iso.date().optional().openapi({ description });

const runBody = z.strictObject({
  tables: z.array(z.string()).min(1).optional().openapi({ description: 'Only these; all when left away.' }),
  kind: z
    .enum(['sync', 'plan'])
    .optional()
    .openapi({ description: 'A plan shows what a sync would do, and merges nothing.' }),
  from: day('The first day, of a sync that has windows of days.'),
  to: day('The day after the last one.'),
  days: z.number().int().positive().optional().openapi({ description: 'The last so many days.' }),
  full: z.boolean().optional().openapi({ description: 'Everything, not only what changed.' }),
});

const params = z.object({ sync: z.string() });
const NO_SYNC = { 404: problem('There is no such sync.') };

const list = createRoute({
  method: 'get',
  path: '/api/syncs',
  tags: ['syncs'],
  summary: 'Every sync with its last run',
  ...needs('viewer'),
  responses: { 200: json(z.array(syncSchema), 'The syncs.'), ...COMMON_PROBLEMS },
});

const show = createRoute({
  method: 'get',
  path: '/api/syncs/{sync}',
  tags: ['syncs'],
  summary: 'One sync with its last run',
  ...needs('viewer'),
  request: { params },
  responses: { 200: json(syncSchema, 'The sync.'), ...COMMON_PROBLEMS, ...NO_SYNC },
});

const start = createRoute({
  method: 'post',
  path: '/api/syncs/{sync}/runs',
  tags: ['syncs'],
  summary: 'Start a run, or find the one under way',
  ...needs('operator'),
  request: { params, query: waitQuery, body: optionalBody(runBody) },
  responses: {
    200: json(runResultSchema, 'The result, for who waits.'),
    202: json(startedRunSchema, 'The run is under way.'),
    ...COMMON_PROBLEMS,
    ...NO_SYNC,
    409: problem('The sync is off; the detail names the variables that turn it on.'),
  },
});

/** The syncs, and starting a run of one. */
export function syncRoutes(api: Api) {
  const { db } = api.session.database;

  async function shown({ definition, settings, off }: ConfiguredSync): Promise<z.infer<typeof syncSchema>> {
    const { name, title, windows, tables } = definition;
    const runs = await listRuns(db, { sync: name, kind: 'sync', limit: RECENT_RUNS });
    return {
      name,
      title,
      off: off ?? null,
      time_zone: definition.timeZone(settings),
      windows,
      schedules: definition.schedules(settings).map(({ id }) => id),
      tables: tables.map((table) => ({
        name: table.name,
        archives: table.archives !== false,
        optional: table.optional ?? false,
      })),
      last_run: runs[0] ?? null,
      recent_runs: runs.map(({ run_id, status, started_at, duration_seconds, total_rows_processed }) => ({
        run_id,
        status,
        started_at,
        duration_seconds,
        total_rows_processed,
      })),
    };
  }

  return newRouter()
    .openapi(list, async (c) => c.json(await Promise.all(api.syncs.map(shown)), 200))
    .openapi(show, async (c) => c.json(await shown(findSync(api, c.req.valid('param').sync)), 200))
    .openapi(start, async (c) => {
      const answer = await startRunByHand(api, {
        sync: findSync(api, c.req.valid('param').sync),
        principal: c.get('principal'),
        input: c.req.valid('json'),
        wait: c.req.valid('query').wait,
        signal: c.req.raw.signal,
      });
      return answer.outcome === 'ended' ? c.json(answer.result, 200) : c.json(answer.run, 202);
    });
}
