import { createRoute, z } from '@hono/zod-openapi';
import { closeLead, UnknownLeadError } from '../../syncs/rentals/close-lead.ts';
import { type Api, json, newRouter } from '../api.ts';
import { needs } from '../authenticate.ts';
import { COMMON_PROBLEMS, problem, ProblemError } from '../problems.ts';

const closedSchema = z
  .object({
    lead_id: z.number().int(),
    lead_type: z.string(),
    booking_no: z.string().nullable(),
    phone: z.string(),
    name: z.string(),
    store: z.string(),
    closed_at: z.iso.datetime(),
    closed_by: z.string(),
  })
  .openapi('ClosedLead');

const close = createRoute({
  method: 'post',
  path: '/api/leads/{id}/close',
  tags: ['leads'],
  summary: 'Move a lead to the reports, so that no source brings it back',
  ...needs('operator'),
  request: { params: z.object({ id: z.coerce.number().int().positive() }) },
  responses: {
    200: json(closedSchema, 'It is closed.'),
    ...COMMON_PROBLEMS,
    404: problem('There is no such lead, or it is closed already.'),
  },
});

/** Working on leads. */
export function leadRoutes({ session }: Api) {
  return newRouter().openapi(close, async (c) => {
    const { id } = c.req.valid('param');
    const closed = await closeLead(session.database, id, c.get('principal').actor).catch((error: unknown) => {
      throw error instanceof UnknownLeadError ? new ProblemError('not-found', error.message) : error;
    });
    return c.json({ ...closed, closed_at: closed.closed_at.toISOString() }, 200);
  });
}
