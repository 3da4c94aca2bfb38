import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { type ApiEnv, json } from '../api.ts';

const document = createRoute({
  method: 'get',
  path: '/openapi.json',
  tags: ['health'],
  summary: 'This document',
  security: [],
  responses: { 200: json(z.record(z.string(), z.unknown()), 'OpenAPI 3.1.') },
});

/** Describes all routes that the app has when it is first asked. */
export function documentRoute(app: OpenAPIHono<ApiEnv>): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'A token made with: npx durasync token create --role viewer|operator|admin',
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: 'durasync_session',
    description:
      'The cookie that POST /api/session sets, named after the port: durasync_session_8080, or ' +
      '__Host-durasync_session on HTTPS. A change with it has to come from our own pages.',
  });
  const describe = () =>
    app.getOpenAPI31Document({
      openapi: '3.1.0',
      info: {
        title: 'Durasync',
        version: '1.0.0',
        description:
          'Durable data syncs into PostgreSQL. The role a route needs is its `x-required-role`; ' +
          'operators may do what viewers may, and admins everything. Errors are problem details (RFC 9457).',
      },
      servers: [{ url: '/' }],
    });
  let described: ReturnType<typeof describe> | undefined;
  app.openapi(document, (c) => c.json({ ...(described ??= describe()) }, 200));
}
