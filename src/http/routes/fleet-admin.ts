import { createRoute, z } from '@hono/zod-openapi';
import { listRuns } from '../../db/run-list.ts';
import { listSchedules } from '../../temporal/schedules.ts';
import { type Api, findSync, json, newRouter } from '../api.ts';
import { needs } from '../authenticate.ts';
import { maskSetting, maskUrl } from '../mask-setting.ts';
import { waitQuery } from '../parameters.ts';
import { COMMON_PROBLEMS, problem } from '../problems.ts';
import { runResultSchema, runSummarySchema, startedRunSchema } from '../run-schemas.ts';
import { startRunByHand } from '../start-run.ts';

const FLEET = 'fleet';
/** What the FMS has no export for; people upload it. */
const MANUAL_ONLY = ['operations_data', 'budgets'];

const trigger = createRoute({
  method: 'post',
  path: '/api/admin/trigger-sync',
  tags: ['fleet'],
  summary: 'Start a run of the fleet sync, or find the one under way',
  ...needs('operator'),
  request: { query: waitQuery },
  responses: {
    200: json(runResultSchema, 'The result, for who waits.'),
    202: json(startedRunSchema, 'The run is under way.'),
    ...COMMON_PROBLEMS,
    409: problem('The sync is off; the detail names the variables that turn it on.'),
  },
});

const statusSchema = z
  .object({
    scheduler_running: z.boolean().openapi({ description: 'The schedule is there and not paused.' }),
    next_sync_time: z.iso.datetime().nullable(),
    sync_hour: z.number().int(),
    sync_minute: z.number().int(),
    sync_enabled: z.boolean(),
    sync_timezone: z.string(),
    paused_because: z.string().nullable(),
    last_run: runSummarySchema.nullable(),
  })
  .openapi('FleetStatus');

const status = createRoute({
  method: 'get',
  path: '/api/admin/sync-status',
  tags: ['fleet'],
  summary: 'When the fleet sync runs, and how it last ran',
  ...needs('viewer'),
  responses: { 200: json(statusSchema, 'The state of the nightly sync.'), ...COMMON_PROBLEMS },
});

const settingValue = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const configSchema = z
  .object({
    off: z.string().nullable().openapi({ description: 'Why it cannot run; null when it can.' }),
    settings: z.record(z.string(), settingValue).openapi({
      description: 'By variable. Addresses show scheme and host only, secrets whether they are set.',
    }),
    tables: z.array(z.object({ table: z.string(), setting: z.string(), url: z.string().nullable() })),
    manual_only: z.array(z.string()),
  })
  .openapi('FleetConfig');

const config = createRoute({
  method: 'get',
  path: '/api/admin/sync-config',
  tags: ['fleet'],
  summary: 'The settings of the fleet sync',
  ...needs('viewer'),
  responses: { 200: json(configSchema, 'The settings, masked.'), ...COMMON_PROBLEMS },
});

/** The routes that the fleet's own administration has always had. */
export function fleetAdminRoutes(api: Api) {
  const { client, database } = api.session;
  return newRouter()
    .openapi(trigger, async (c) => {
      const answer = await startRunByHand(api, {
        sync: findSync(api, FLEET),
        principal: c.get('principal'),
        input: {},
        wait: c.req.valid('query').wait,
        signal: c.req.raw.signal,
      });
      return answer.outcome === 'ended' ? c.json(answer.result, 200) : c.json(answer.run, 202);
    })
    .openapi(status, async (c) => {
      const { definition, settings, off } = findSync(api, FLEET);
      const [nightly] = definition.schedules(settings);
      const [schedules, [lastRun]] = await Promise.all([
        listSchedules(client),
        listRuns(database.db, { sync: FLEET, kind: 'sync', limit: 1 }),
      ]);
      const schedule = schedules.find(({ id }) => id === nightly?.id);
      const running = schedule !== undefined && !schedule.paused;
      return c.json(
        {
          scheduler_running: running,
          next_sync_time: (running && schedule.nextTimes[0]) || null,
          sync_hour: Number(settings['SYNC_HOUR']),
          sync_minute: Number(settings['SYNC_MINUTE']),
          sync_enabled: Boolean(settings['SYNC_ENABLED']),
          sync_timezone: definition.timeZone(settings),
          paused_because: running ? null : (schedule?.note ?? off ?? null),
          last_run: lastRun ?? null,
        },
        200,
      );
    })
    .openapi(config, (c) => {
      const { definition, settings, off } = findSync(api, FLEET);
      const masked = Object.keys(definition.settings.shape).map((name) => [
        name,
        maskSetting(name, settings[name]),
      ]);
      const tables = definition.tables.map(({ name, source: { setting } }) => {
        const url = settings[setting];
        return { table: name, setting, url: typeof url === 'string' ? maskUrl(url) : null };
      });
      return c.json(
        { off: off ?? null, settings: Object.fromEntries(masked), tables, manual_only: MANUAL_ONLY },
        200,
      );
    });
}
