import { createMiddleware } from 'hono/factory';

/** Many clients name a JSON body that they don't send; bodies that may be left away then count as left away. */
export const dropEmptyBody = createMiddleware(async (c, next) => {
  const { headers } = c.req.raw;
  const empty = Number(headers.get('content-length') ?? 0) === 0 && !headers.has('transfer-encoding');
  if (empty && headers.has('content-type')) {
    const kept = new Headers(headers);
    kept.delete('content-type');
    c.req.raw = new Request(c.req.raw, { headers: kept });
  }
  await next();
});
