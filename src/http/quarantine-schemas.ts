/** What the API shows of rows that could not be taken. */
import { z } from '@hono/zod-openapi';

export const quarantinedRowSchema = z
  .object({
    id: z.number().int(),
    run_id: z.string(),
    sync: z.string(),
    table: z.string(),
    position: z.number().int().openapi({ description: 'Line of the file, or number of the record.' }),
    reasons: z.array(z.string()).readonly(),
    raw: z.string().openapi({ description: "The row's own text, at most 4 kB." }),
    created_at: z.iso.datetime(),
    resolved_at: z.iso.datetime().nullable(),
  })
  .openapi('QuarantinedRow');
