/** Parameters that several routes take. */
import { z } from '@hono/zod-openapi';

const LIMIT_MAX = 1_000;

export const limit = (fallback: number) =>
  z.coerce
    .number({ message: `must be a whole number from 1 to ${LIMIT_MAX}` })
    .int()
    .min(1)
    .max(LIMIT_MAX)
    .default(fallback)
    .openapi({ description: 'How many, newest first.' });

export const waitQuery = z.strictObject({
  wait: z
    .stringbool({ message: 'must be true or false' })
    .default(false)
    .openapi({ type: 'boolean', description: 'Answer when it has ended, not when it has begun.' }),
});

export const reasonBody = z.strictObject({
  reason: z.string().trim().min(1).max(1_000).optional(),
});
