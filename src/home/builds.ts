import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Home } from './home.ts';

/** Beside the packages, so that every home of this checkout finds what one of them has made. */
export const SHARED_BUILDS = fileURLToPath(new URL('../../node_modules/.cache/durasync/', import.meta.url));

/**
 * The folder for what is made of our sources when it is first needed, the workflow bundle and the dashboard: the
 * shared one, or one in the home where that can't be written. Safe to repeat.
 */
export async function buildsFolder(home: Home, shared = SHARED_BUILDS): Promise<string> {
  try {
    await mkdir(shared, { recursive: true });
    await access(shared, constants.W_OK);
    return shared;
  } catch {
    return home.path('cache');
  }
}
