import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Hono } from 'hono';
import type { ApiEnv } from './api.ts';
import { ensureDashboard } from './build-dashboard.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** Addresses that the dashboard shows a page for; the page itself asks the API, which asks for a login. */
const PAGES = [
  '/',
  '/login',
  '/runs',
  '/runs/:id',
  '/syncs/:sync',
  '/clients',
  '/clients/:id',
  '/quarantine',
  '/schedules',
  '/uploads',
  '/backups',
  '/health',
  '/audit',
];

interface DashboardFile {
  /** Relative to the folder, with forward slashes. */
  readonly path: string;
  readonly type: string;
  readonly etag: string;
  readonly content: Buffer;
  readonly packed: Buffer;
}

export type DashboardFiles = readonly DashboardFile[];

/**
 * The dashboard as it is served. When it can't be built, there is none: syncs and the API matter more.
 *
 * @param folder where builds are kept
 * @param warn told why there is none, and what to do
 */
export async function loadDashboard(
  folder: string,
  warn: (message: string) => void,
): Promise<DashboardFiles> {
  try {
    return await readDashboardFiles(await ensureDashboard(folder));
  } catch (error) {
    warn(error instanceof Error ? error.message : String(error));
    return [];
  }
}

/** Reads the built dashboard into memory; all of it is smaller than one photograph. */
async function readDashboardFiles(folder: string): Promise<DashboardFiles> {
  const names = await readdir(folder, { recursive: true });
  const files = names.filter((name) => TYPES[extname(name)]);
  return Promise.all(
    files.map(async (name) => {
      const content = await readFile(join(folder, name));
      return {
        path: name.replaceAll('\\', '/'),
        type: TYPES[extname(name)] ?? '',
        etag: `"${createHash('sha256').update(content).digest('hex').slice(0, 16)}"`,
        content,
        packed: await promisify(gzip)(content, { level: 9 }),
      };
    }),
  );
}

/** Serves the dashboard's page at each of its addresses, and its assets. Open to everybody: they hold no data. */
export function dashboardRoutes(files: DashboardFiles) {
  const routes = new Hono<ApiEnv>();
  for (const file of files) {
    const addresses = file.path === 'index.html' ? PAGES : [`/${file.path}`];
    // Names of assets hold a hash of their content.
    const kept = file.path.startsWith('assets/');
    const headers = {
      'Content-Type': file.type,
      'Cache-Control': kept ? 'public, max-age=31536000, immutable' : 'no-cache',
      ETag: file.etag,
      Vary: 'Accept-Encoding',
    };
    for (const address of addresses) {
      routes.get(address, (c) => {
        if (c.req.header('if-none-match') === file.etag) return c.body(null, 304, headers);
        const packs = /\bgzip\b/.test(c.req.header('accept-encoding') ?? '');
        return packs
          ? c.body(new Uint8Array(file.packed), 200, { ...headers, 'Content-Encoding': 'gzip' })
          : c.body(new Uint8Array(file.content), 200, headers);
      });
    }
  }
  return routes;
}
