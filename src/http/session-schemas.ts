/** What the API shows of a login. */
import { z } from '@hono/zod-openapi';

export const sessionSchema = z
  .object({
    actor: z.string().openapi({ example: 'token:ci' }),
    role: z.enum(['viewer', 'operator', 'admin']),
    mode: z.enum(['demo', 'real']),
    temporal_workflows_url: z.string().nullable().openapi({
      description: "Where Temporal's Web UI lists the workflows; null when its address is not known.",
    }),
  })
  .openapi('Session');
