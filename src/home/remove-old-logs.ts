import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const DAY_MS = 24 * 3_600_000;

/** Removes the log files of a folder that nothing was written to for so many days. Returns how many. Safe to repeat. */
export async function removeOldLogs(folder: string, keepDays: number, now: Date): Promise<number> {
  let removed = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    if (!/\.log(\.[\w.-]+)?$/.test(name)) continue;
    const path = join(folder, name);
    const changedMs = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Infinity,
    );
    if (changedMs > now.getTime() - keepDays * DAY_MS) continue;
    await rm(path, { force: true });
    removed += 1;
  }
  return removed;
}
