/** What the API shows of the health of the installation. */
import { z } from '@hono/zod-openapi';

const statusSchema = z.enum(['healthy', 'warning', 'error']);
export const healthReportSchema = z
  .object({
    timestamp: z.string(),
    status: statusSchema,
    checks: z.array(
      z.object({
        name: z.string(),
        status: statusSchema,
        message: z.string(),
        detail: z.record(z.string(), z.union([z.number(), z.string(), z.null()])).optional(),
      }),
    ),
  })
  .openapi('HealthReport');
