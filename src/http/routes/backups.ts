import { createRoute, z } from '@hono/zod-openapi';
import { openPlaces } from '../../connectors/backups/open-places.ts';
import { audit } from '../../db/audit.ts';
import { listBackups } from '../../db/backup/list-backups.ts';
import { startBackup } from '../../temporal/backups.ts';
import { type Api, json, newRouter } from '../api.ts';
import { needs } from '../authenticate.ts';
import { COMMON_PROBLEMS } from '../problems.ts';

const backupSchema = z
  .object({
    name: z.string(),
    location: z.string(),
    created_at: z.iso.datetime(),
    bytes: z.number().int(),
    rows: z.number().int(),
    verified_at: z.iso
      .datetime()
      .nullable()
      .openapi({ description: 'When it was last restored into a scratch database and found equal.' }),
    database: z.string(),
    schema_version: z.string(),
  })
  .openapi('Backup');

const list = createRoute({
  method: 'get',
  path: '/api/backups',
  tags: ['backups'],
  summary: 'Every whole backup, newest first',
  ...needs('viewer'),
  responses: {
    200: json(z.array(backupSchema), 'The backups in the folder of this process and in the bucket.'),
    ...COMMON_PROBLEMS,
  },
});

const startedSchema = z
  .object({
    workflow_id: z.string(),
    run_id: z.string(),
    started: z.boolean().openapi({ description: 'False when one asked for before is under way.' }),
  })
  .openapi('StartedBackup');

const create = createRoute({
  method: 'post',
  path: '/api/backups',
  tags: ['backups'],
  summary: 'Start a backup, or find the one under way',
  ...needs('operator'),
  responses: { 202: json(startedSchema, 'It is under way.'), ...COMMON_PROBLEMS },
});

/** The backups, and making one. Restoring is for the command line alone. */
export function backupRoutes({ session }: Api) {
  const { client, database, targets } = session;
  return newRouter()
    .openapi(list, async (c) => {
      const { good, failures } = await listBackups(openPlaces(targets.env).all, targets.keys);
      if (good.length === 0 && failures[0]) throw failures[0];
      return c.json(
        good.map(({ shown }) => shown),
        200,
      );
    })
    .openapi(create, async (c) => {
      const { actor, tokenId } = c.get('principal');
      const { workflowId, runId, started } = await startBackup(client, actor);
      if (started) {
        await audit(database.db, { actor, action: 'backup', subject: runId, detail: { tokenId } });
      }
      return c.json({ workflow_id: workflowId, run_id: runId, started }, 202);
    });
}
