/** What the API shows of backups. */
import { z } from '@hono/zod-openapi';

export const backupSchema = z
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
