import { createRoute, z } from '@hono/zod-openapi';
import { audit } from '../../db/audit.ts';
import { listSchedules, pauseSchedule, resumeSchedule, triggerSchedule } from '../../temporal/schedules.ts';
import { type Api, json, newRouter, optionalBody } from '../api.ts';
import { needs, type Principal } from '../authenticate.ts';
import { reasonBody } from '../parameters.ts';
import { COMMON_PROBLEMS, problem } from '../problems.ts';
import { scheduleSchema } from '../sync-schemas.ts';

/** Longer than `triggerSchedule` watches for what became of it. */
const TRIGGER_MS = 15_000;

const list = createRoute({
  method: 'get',
  path: '/api/schedules',
  tags: ['schedules'],
  summary: 'The Temporal Schedules of the syncs',
  ...needs('viewer'),
  responses: { 200: json(z.array(scheduleSchema), 'The schedules.'), ...COMMON_PROBLEMS },
});

const about = <Verb extends 'pause' | 'resume' | 'trigger'>(verb: Verb, summary: string) => ({
  method: 'post' as const,
  path: `/api/schedules/{id}/${verb}` as const,
  tags: ['schedules'],
  summary,
  ...needs('operator'),
  request: { params: z.object({ id: z.string() }), body: optionalBody(reasonBody) },
});
const PROBLEMS = { ...COMMON_PROBLEMS, 404: problem('There is no such schedule; the detail lists them.') };
const stateSchema = z.object({ id: z.string(), paused: z.boolean() }).openapi('ScheduleState');

const pause = createRoute({
  ...about('pause', 'Pause a schedule until somebody resumes it'),
  responses: { 200: json(stateSchema, 'It is paused.'), ...PROBLEMS },
});

const resume = createRoute({
  ...about('resume', 'Let a paused schedule run again'),
  responses: { 200: json(stateSchema, 'It runs again.'), ...PROBLEMS },
});

const triggeredSchema = z
  .object({
    id: z.string(),
    outcome: z.enum(['started', 'already-running', 'requested']),
    run_id: z.string().nullable(),
    workflow_id: z.string().nullable(),
  })
  .openapi('TriggeredSchedule');

const trigger = createRoute({
  ...about('trigger', "Start a schedule's run now, unless its earlier run is still open"),
  responses: { 202: json(triggeredSchema, 'What the trigger led to.'), ...PROBLEMS },
});

/** The schedules, and changing them. */
export function scheduleRoutes(api: Api) {
  const { client, database } = api.session;
  const record = (verb: string, subject: string, reason: string | undefined, by: Principal) =>
    audit(database.db, {
      actor: by.actor,
      action: `${verb} schedule`,
      subject,
      detail: { reason, tokenId: by.tokenId },
    });

  return newRouter()
    .openapi(list, async (c) => {
      const schedules = await listSchedules(client);
      const shown = schedules.map(({ nextTimes, lastStartedAt, ...schedule }) => ({
        ...schedule,
        next_times: nextTimes,
        last_started_at: lastStartedAt,
      }));
      return c.json(shown, 200);
    })
    .openapi(pause, async (c) => {
      const { id } = c.req.valid('param');
      const { reason } = c.req.valid('json');
      const principal = c.get('principal');
      await pauseSchedule(client, id, `Paused by ${principal.actor}${reason ? `: ${reason}` : ''}`);
      await record('pause', id, reason, principal);
      return c.json({ id, paused: true }, 200);
    })
    .openapi(resume, async (c) => {
      const { id } = c.req.valid('param');
      await resumeSchedule(client, id);
      await record('resume', id, c.req.valid('json').reason, c.get('principal'));
      return c.json({ id, paused: false }, 200);
    })
    .openapi(trigger, async (c) => {
      const { id } = c.req.valid('param');
      const triggered = await client.withDeadline(Date.now() + TRIGGER_MS, () => triggerSchedule(client, id));
      await record('trigger', id, c.req.valid('json').reason, c.get('principal'));
      const { outcome } = triggered;
      const run = outcome === 'requested' ? { runId: null, workflowId: null } : triggered;
      return c.json({ id, outcome, run_id: run.runId, workflow_id: run.workflowId }, 202);
    });
}
