import { createRoute, z } from '@hono/zod-openapi';
import { listClients } from '../../db/client-list.ts';
import { addClient, addConnection, removeClient, setFrequency } from '../../installation/client-changes.ts';
import { PURGE_WAIT_MS, purgeClient } from '../../installation/purge-client.ts';
import { readClient } from '../../installation/read-client.ts';
import { type Api, json, newRouter } from '../api.ts';
import { needs } from '../authenticate.ts';
import {
  clientDetailSchema,
  clientSchema,
  connectionSchema,
  platform,
  removedClientSchema,
} from '../client-schemas.ts';
import { limit } from '../parameters.ts';
import { COMMON_PROBLEMS, problem } from '../problems.ts';

const PURGE_MS = PURGE_WAIT_MS + 30_000;

const params = z.object({ id: z.string() });
const NO_CLIENT = { 404: problem('There is no such client.') };
const tags = ['clients'];

/** A JSON body that has to be there. */
const body = <Schema extends z.ZodType>(schema: Schema) => ({
  content: { 'application/json': { schema } },
  required: true,
});

const list = createRoute({
  method: 'get',
  path: '/api/clients',
  tags,
  summary: 'Clients with their connections, by id',
  ...needs('viewer'),
  request: {
    query: z.strictObject({
      limit: limit(100).openapi({ description: 'How many.' }),
      after: z
        .string()
        .optional()
        .openapi({ description: 'Only clients behind this id, for the next page.' }),
    }),
  },
  responses: { 200: json(z.array(clientSchema), 'The clients.'), ...COMMON_PROBLEMS },
});

const show = createRoute({
  method: 'get',
  path: '/api/clients/{id}',
  tags,
  summary: 'One client with its records and last runs',
  ...needs('viewer'),
  request: { params },
  responses: { 200: json(clientDetailSchema, 'The client.'), ...COMMON_PROBLEMS, ...NO_CLIENT },
});

const add = createRoute({
  method: 'post',
  path: '/api/clients',
  tags,
  summary: 'Add a client, bring back one that was removed, or rename one',
  ...needs('admin'),
  request: { body: body(z.strictObject({ client_id: z.string(), name: z.string().optional() })) },
  responses: {
    200: json(clientSchema, 'The client was there.'),
    201: json(clientSchema, 'The client is added.'),
    ...COMMON_PROBLEMS,
  },
});

const addCredentials = createRoute({
  method: 'post',
  path: '/api/clients/{id}/credentials',
  tags,
  summary: 'Add a connection to a shop, or replace the secrets of the one with the same platform and name',
  ...needs('admin'),
  request: {
    params,
    body: body(
      z.strictObject({
        platform_type: platform,
        connection_name: z.string(),
        credentials: z.record(z.string(), z.unknown()).openapi({
          description:
            'Shopify: shop_domain, access_token. Amazon: seller_id, marketplace_ids, client_id, client_secret, ' +
            'refresh_token, region.',
        }),
        sync_frequency_hours: z.number().optional(),
      }),
    ),
  },
  responses: {
    201: json(connectionSchema, 'The connection, without its secrets.'),
    ...COMMON_PROBLEMS,
    ...NO_CLIENT,
  },
});

const frequency = createRoute({
  method: 'put',
  path: '/api/clients/{id}/frequency',
  tags,
  summary: 'Change how often a client syncs, counted from when it was last due',
  ...needs('operator'),
  request: { params, body: body(z.strictObject({ hours: z.number(), platform: platform.optional() })) },
  responses: { 200: json(clientSchema, 'The client.'), ...COMMON_PROBLEMS, ...NO_CLIENT },
});

const remove = createRoute({
  method: 'delete',
  path: '/api/clients/{id}',
  tags,
  summary: 'End the syncs of a client; its data stays unless it is purged',
  ...needs('admin'),
  request: {
    params,
    query: z.strictObject({
      purge: z
        .stringbool({ message: 'must be true or false' })
        .default(false)
        .openapi({ type: 'boolean', description: 'Delete its data and secrets too.' }),
    }),
  },
  responses: {
    200: json(removedClientSchema, 'The client is removed.'),
    ...COMMON_PROBLEMS,
    ...NO_CLIENT,
    409: problem('It is removed, but a run of it goes on, so its data is not purged yet.'),
  },
});

/** The clients, and what an administrator changes about them. */
export function clientRoutes({ session }: Api) {
  return newRouter()
    .openapi(list, async (c) => c.json(await listClients(session.database.db, c.req.valid('query')), 200))
    .openapi(show, async (c) => c.json(await readClient(session, c.req.valid('param').id), 200))
    .openapi(add, async (c) => {
      const { client_id: clientId, name } = c.req.valid('json');
      const { client, outcome } = await addClient(session, c.get('principal'), { clientId, name });
      return outcome === 'added' ? c.json(client, 201) : c.json(client, 200);
    })
    .openapi(addCredentials, async (c) => {
      const given = c.req.valid('json');
      const connection = await addConnection(session, c.get('principal'), {
        clientId: c.req.valid('param').id,
        platform: given.platform_type,
        connectionName: given.connection_name,
        credentials: given.credentials,
        frequencyHours: given.sync_frequency_hours,
      });
      return c.json(connection, 201);
    })
    .openapi(frequency, async (c) => {
      const change = { clientId: c.req.valid('param').id, ...c.req.valid('json') };
      return c.json(await setFrequency(session, c.get('principal'), change), 200);
    })
    .openapi(remove, async (c) => {
      const { id } = c.req.valid('param');
      const by = c.get('principal');
      const removed = { client_id: id, removed: true as const };
      if (!c.req.valid('query').purge) {
        await removeClient(session, by, id);
        return c.json({ ...removed, purged: null }, 200);
      }
      const purge = () => purgeClient(session, by, id);
      return c.json(
        { ...removed, purged: await session.client.withDeadline(Date.now() + PURGE_MS, purge) },
        200,
      );
    });
}
