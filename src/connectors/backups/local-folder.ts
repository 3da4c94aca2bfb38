import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { BackupDraft, LocalBackupPlace, PlacedFiles } from '../../db/backup/backup-place.ts';
import { SyncFailure } from '../../domain/failures.ts';
import { isBackupName, MANIFEST_FILE } from '../../domain/backups.ts';

const LEFTOVER = /^\.(durasync_backup_\d{8}_\d{6})\.[0-9a-f-]{36}\.(partial|removed)$/;
/** A backup that nothing was written to for so long has lost its writer. */
const LEFTOVER_MS = 24 * 3_600_000;
const BUFFER_BYTES = 256 * 1024;

/** Backups as folders of one folder, each made under a hidden name and renamed when it is whole. */
export function localFolder(folder: string): LocalBackupPlace {
  const base = resolve(folder);
  const explained = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explain(base, error);
    }
  };
  const dropLeftovers = async (which: (name: string, path: string) => Promise<boolean>): Promise<void> => {
    for (const entry of await namesIn(base)) {
      const name = LEFTOVER.exec(entry)?.[1];
      const path = join(base, entry);
      if (name !== undefined && (await which(name, path))) await rm(path, { recursive: true, force: true });
    }
  };
  return {
    kind: 'local',
    location: base,
    locationOf: (name) => join(base, name),
    list: () =>
      explained(async () => {
        const names = (await namesIn(base)).filter(isBackupName).toSorted().toReversed();
        return Promise.all(names.map((name) => listFiles(base, name)));
      }),
    readText: (name, file) => explained(() => readFile(join(base, name, file), 'utf8')),
    open: (name, file) =>
      explained(async (): Promise<Readable> => {
        const path = join(base, name, file);
        await stat(path);
        return createReadStream(path, { highWaterMark: BUFFER_BYTES });
      }),
    writeText: (name, file, text) =>
      explained(async () => {
        const path = join(base, name, file);
        const draft = `${path}.${randomUUID()}`;
        await writeFile(draft, text, { mode: 0o600, flush: true });
        await rename(draft, path);
      }),
    remove: (name) =>
      explained(async () => {
        const gone = join(base, `.${name}.${randomUUID()}.removed`);
        await rename(join(base, name), gone).catch(unlessMissing);
        await rm(gone, { recursive: true, force: true });
      }),
    removeLeftovers: () =>
      explained(() =>
        dropLeftovers(async (_name, path) => (await newestChangeMs(path)) < Date.now() - LEFTOVER_MS),
      ),
    begin: (name) =>
      explained(async () => {
        await mkdir(base, { recursive: true, mode: 0o700 });
        await dropLeftovers(async (left) => left === name);
        const draft = join(base, `.${name}.${randomUUID()}.partial`);
        await mkdir(join(draft, 'tables'), { recursive: true, mode: 0o700 });
        return beginDraft(base, name, draft);
      }),
  };
}

function beginDraft(base: string, name: string, draft: string): BackupDraft {
  return {
    create: (file) =>
      createWriteStream(join(draft, file), {
        flags: 'wx',
        mode: 0o600,
        highWaterMark: BUFFER_BYTES,
        flush: true,
      }),
    finish: async (manifestFile, manifest) => {
      await writeFile(join(draft, manifestFile), manifest, { mode: 0o600, flush: true });
      for (const folder of [join(draft, 'tables'), draft]) await syncFolder(folder);
      try {
        await rename(draft, join(base, name));
      } catch (error) {
        // Another attempt has made the same backup meanwhile.
        const isThere = codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST';
        if (!isThere) throw error;
        await rm(draft, { recursive: true, force: true });
      }
      await syncFolder(base);
    },
    discard: () => rm(draft, { recursive: true, force: true }),
    explain: (error) => explain(base, error),
  };
}

async function listFiles(base: string, name: string): Promise<PlacedFiles> {
  const folder = join(base, name);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(folder.length + 1), (await stat(path)).size] as const;
      }),
  );
  return { name, files: new Map(files) };
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

async function newestChangeMs(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  const times = await Promise.all(
    ['.', ...entries].map((entry) =>
      stat(join(folder, entry)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return Math.max(...times);
}

/** A rename is only certain to last once its folder is on disk. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

const unlessMissing = (error: unknown): void => {
  if (codeOf(error) !== 'ENOENT') throw error;
};

/** What a failed file means for a backup; other errors stay as they are. */
function explain(base: string, error: unknown): unknown {
  const code = codeOf(error);
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new SyncFailure(
        'BackupPlaceFull',
        `The disk that holds the backups in ${base} is full, so no backup was made. Free some space, remove old ` +
          'backups with `npx durasync backup prune`, or set BACKUP_DIR to a folder on another disk.',
        { cause: error },
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
      return new SyncFailure(
        'BackupPlaceRefused',
        `The backups in ${base} can't be read or written by this user (${code}). Change the owner of ` +
          `${dirname(base)} or set BACKUP_DIR to another folder.`,
        { cause: error },
      );
    case 'ENOENT':
      return new SyncFailure(
        'BackupPlaceRefused',
        `A file of a backup in ${base} is missing (${MANIFEST_FILE} or a table). Was it moved or removed?`,
        { cause: error },
      );
    default:
      return error;
  }
}
