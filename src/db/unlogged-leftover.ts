import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const NAMED = /could not create file "((?:base|pg_tblspc)\/[\w/]+)": File exists/;

/**
 * Takes away what keeps a crash recovery of PostgreSQL from its end: the empty file of an unlogged table whose creation
 * was rolled back a moment before the crash, while the log still tells of the creation. A recovery empties every
 * unlogged table, so nothing is lost. Safe to repeat.
 *
 * @param tail PostgreSQL's last words
 * @returns whether there was one, so that another start is worth while
 */
export async function removeUnloggedLeftover(dataDir: string, tail: string): Promise<boolean> {
  const [, name] = NAMED.exec(tail) ?? [];
  if (name === undefined) return false;
  const path = join(dataDir, name);
  // Only unlogged tables have such a file.
  if (!(await stat(`${path}_init`).catch(() => null))) return false;
  await rm(path, { force: true });
  return true;
}
