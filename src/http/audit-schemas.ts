/** What the API shows of the audit log. */
import { z } from '@hono/zod-openapi';

export const auditPageSchema = z
  .object({
    entries: z
      .array(
        z.object({
          id: z.number().int(),
          at: z.iso.datetime(),
          actor: z.string().openapi({ example: 'token:ci' }),
          action: z.string().openapi({ example: 'approve' }),
          subject: z.string().openapi({ description: 'A run id, a sync, a schedule, a client.' }),
          detail: z.record(z.string(), z.unknown()).readonly(),
        }),
      )
      .readonly(),
    next: z.number().int().nullable().openapi({
      description: 'What `before` has to be for the next page; null behind the last one.',
    }),
  })
  .openapi('AuditPage');
