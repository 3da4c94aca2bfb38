/** What the API shows of clients; the handlers' types hold these and the database's types together. */
import { z } from '@hono/zod-openapi';

const count = () => z.number().int().min(0);
const instant = () => z.iso.datetime();

export const platform = z.enum(['shopify', 'amazon'], { message: 'must be shopify or amazon' });

export const connectionSchema = z
  .object({
    credential_id: z.string(),
    platform_type: platform,
    connection_name: z.string(),
    sync_frequency_hours: z.number(),
    status: z.enum(['pending', 'connected', 'error', 'expired', 'revoked']),
    last_sync_at: instant().nullable(),
    next_sync_at: instant().openapi({ description: 'The next attempt; when paused, when it would be.' }),
    error_message: z.string().nullable(),
    paused: z.boolean(),
    paused_reason: z.string().nullable(),
  })
  .openapi('Connection', { description: 'A connection to a shop. Its secrets are never shown.' });

const clientFields = z.object({
  client_id: z.string(),
  name: z.string(),
  active: z.boolean().openapi({ description: 'False once it was removed and its data is still there.' }),
  view_name: z.string().openapi({ description: 'The view of its data, in the schema commerce.' }),
  created_at: instant(),
  connections: z.array(connectionSchema).readonly(),
});

export const clientSchema = clientFields.openapi('Client');

export const clientDetailSchema = clientFields
  .extend({
    records: z.array(z.object({ platform, data_type: z.string(), records: count() })).readonly(),
    results: z
      .array(
        z.object({
          run_id: z.string(),
          platform_type: platform,
          connection_name: z.string(),
          started_at: instant(),
          sync_duration_seconds: z.number(),
          success: z.boolean(),
          records_fetched: count(),
          records_processed: count(),
          records_stored: count(),
          data_types_synced: z.array(z.string()).readonly(),
          sync_triggered_by: z.string(),
          error_message: z.string().nullable(),
        }),
      )
      .readonly()
      .openapi({ description: 'The last ten runs, newest first.' }),
    workflow: z
      .array(
        z.object({
          credential_id: z.string(),
          running: z.string().nullable(),
          queued: z.string().nullable(),
        }),
      )
      .readonly()
      .nullable()
      .openapi({ description: 'What goes on; null when no worker answers for the client.' }),
  })
  .openapi('ClientDetail');

const requestedRunSchema = z.object({
  credential_id: z.string(),
  workflow_id: z.string(),
  state: z.enum(['started', 'queued']),
  coalesced_into: z.string().nullable().openapi({ description: 'The earlier request that this run serves.' }),
});

export const requestedSyncSchema = z
  .object({
    client_id: z.string(),
    state: z.enum(['started', 'queued']),
    workflow_id: z.string(),
    runs: z.array(requestedRunSchema),
  })
  .openapi('RequestedSync');

export const forcedClientsSchema = z
  .object({
    started: count(),
    queued: count(),
    not_due: count(),
    refused: count(),
    clients: z.array(
      z.object({
        client_id: z.string(),
        state: z.enum(['started', 'queued', 'not_due', 'refused']),
        reason: z.string().nullable().openapi({ description: 'Why it does not sync now.' }),
        runs: z.array(requestedRunSchema),
      }),
    ),
  })
  .openapi('ForcedClients');

export const removedClientSchema = z
  .object({
    client_id: z.string(),
    removed: z.literal(true),
    purged: z
      .object({ client_data: count(), sync_results: count(), skus: count(), quarantined: count() })
      .nullable()
      .openapi({ description: 'Rows that were deleted; null when the data stays.' }),
  })
  .openapi('RemovedClient');
