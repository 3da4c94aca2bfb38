import { createRoute, z } from '@hono/zod-openapi';
import { listAudit } from '../../db/audit-list.ts';
import { type Api, json, newRouter } from '../api.ts';
import { auditPageSchema } from '../audit-schemas.ts';
import { needs } from '../authenticate.ts';
import { limit } from '../parameters.ts';
import { COMMON_PROBLEMS } from '../problems.ts';

const ENTRIES_LISTED = 50;

const text = (description: string) => z.string().min(1).max(200).optional().openapi({ description });
const instant = (description: string) => z.iso.datetime({ offset: true }).optional().openapi({ description });

const list = createRoute({
  method: 'get',
  path: '/api/audit',
  tags: ['audit'],
  summary: 'Who did what, when; newest first',
  ...needs('viewer'),
  request: {
    query: z.strictObject({
      actor: text('The first letters of who, such as cli: or token:ci'),
      action: text('Such as approve'),
      subject: text('The first letters of what it was done to'),
      since: instant('Not before this instant'),
      until: instant('Before this instant'),
      before: z.coerce.number().int().positive().optional().openapi({ description: '`next` of a page.' }),
      limit: limit(ENTRIES_LISTED),
    }),
  },
  responses: { 200: json(auditPageSchema, 'One page.'), ...COMMON_PROBLEMS },
});

/** The audit log. */
export function auditRoutes({ session }: Api) {
  return newRouter().openapi(list, async (c) =>
    c.json(await listAudit(session.database.db, c.req.valid('query')), 200),
  );
}
