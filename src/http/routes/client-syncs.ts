import { createRoute, z } from '@hono/zod-openapi';
import { pauseClient, resumeClient } from '../../installation/client-changes.ts';
import { type ForcedClient, forceClient, forceClients, showRun } from '../../installation/force-clients.ts';
import { type Api, json, newRouter, optionalBody } from '../api.ts';
import { needs } from '../authenticate.ts';
import { clientSchema, forcedClientsSchema, platform, requestedSyncSchema } from '../client-schemas.ts';
import { reasonBody } from '../parameters.ts';
import { COMMON_PROBLEMS, problem } from '../problems.ts';

const params = z.object({ id: z.string() });
const NO_CLIENT = { 404: problem('There is no such client.') };

const about = <Verb extends 'sync' | 'pause' | 'resume'>(verb: Verb, summary: string) => ({
  method: 'post' as const,
  path: `/api/clients/{id}/${verb}` as const,
  tags: ['clients'],
  summary,
  ...needs('operator'),
});

const sync = createRoute({
  ...about('sync', 'Let a client sync now; queued behind a run that is open'),
  request: { params, body: optionalBody(z.strictObject({ platform: platform.optional() })) },
  responses: {
    202: json(requestedSyncSchema, 'The runs it leads to.'),
    ...COMMON_PROBLEMS,
    ...NO_CLIENT,
    409: problem('The client is paused; the detail says why.'),
  },
});

const pause = createRoute({
  ...about('pause', 'Stop the syncs of a client until it is resumed'),
  request: { params, body: optionalBody(reasonBody) },
  responses: { 200: json(clientSchema, 'It is paused.'), ...COMMON_PROBLEMS, ...NO_CLIENT },
});

const resume = createRoute({
  ...about('resume', 'Let a paused client sync again'),
  request: { params },
  responses: { 200: json(clientSchema, 'It syncs again.'), ...COMMON_PROBLEMS, ...NO_CLIENT },
});

const trigger = createRoute({
  method: 'post',
  path: '/api/admin/trigger-api-sync',
  tags: ['clients'],
  summary: 'Let many clients sync now',
  ...needs('admin'),
  request: {
    query: z.strictObject({
      force_sync: z
        .stringbool({ message: 'must be true or false' })
        .default(false)
        .openapi({ type: 'boolean', description: 'Also those that are not due.' }),
      client_id_filter: z.string().optional().openapi({ description: 'Only this client.' }),
      platform_filter: platform.optional().openapi({ description: 'Only connections to this platform.' }),
    }),
  },
  responses: {
    202: json(forcedClientsSchema, 'What became of each client.'),
    ...COMMON_PROBLEMS,
    ...NO_CLIENT,
  },
});

/** Letting clients sync now, and stopping them for a while. */
export function clientSyncRoutes({ session }: Api) {
  return newRouter()
    .openapi(sync, async (c) => {
      const { id } = c.req.valid('param');
      const answer = await forceClient(session, c.get('principal'), id, c.req.valid('json').platform);
      const { state, workflowId, runs } = answer;
      return c.json({ client_id: id, state, workflow_id: workflowId, runs: runs.map(showRun) }, 202);
    })
    .openapi(pause, async (c) => {
      const { id } = c.req.valid('param');
      return c.json(await pauseClient(session, c.get('principal'), id, c.req.valid('json').reason), 200);
    })
    .openapi(resume, async (c) =>
      c.json(await resumeClient(session, c.get('principal'), c.req.valid('param').id), 200),
    )
    .openapi(trigger, async (c) => {
      const { force_sync, client_id_filter, platform_filter } = c.req.valid('query');
      const forced = await forceClients(session, c.get('principal'), {
        which: force_sync ? 'all' : 'due',
        clientId: client_id_filter,
        platform: platform_filter,
      });
      return c.json(shownForced(forced), 202);
    });
}

function shownForced(forced: readonly ForcedClient[]): z.infer<typeof forcedClientsSchema> {
  const of = (state: ForcedClient['state']): number =>
    forced.filter((client) => client.state === state).length;
  return {
    started: of('started'),
    queued: of('queued'),
    not_due: of('not_due'),
    refused: of('refused'),
    clients: forced.map(({ clientId, state, reason, runs }) => ({
      client_id: clientId,
      state,
      reason,
      runs: runs.map(showRun),
    })),
  };
}
