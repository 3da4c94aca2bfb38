import { audit } from '../db/audit.ts';
import { storeUpload } from '../db/uploads.ts';
import type { SyncDefinition, TableDefinition, Upload } from '../syncs/define-sync.ts';
import { type StartedRun, startRun } from '../temporal/runs.ts';
import type { Session } from './session.ts';

/** A file that was checked, and what it is for. */
export interface ImportedFile {
  readonly sync: SyncDefinition;
  readonly table: TableDefinition;
  /** As its source has prepared it. */
  readonly upload: Upload;
}

/** Keeps a file and starts the run that loads it. */
export async function startImport(
  { database, client }: Pick<Session, 'database' | 'client'>,
  { sync, table, upload }: ImportedFile,
  actor: string,
): Promise<StartedRun> {
  const uploadId = await storeUpload(database, upload, actor);
  const started = await startRun(client, {
    sync: sync.name,
    kind: 'import',
    tables: [table.name],
    uploadId,
    trigger: 'upload',
    triggeredBy: actor,
  });
  await audit(database.db, {
    actor,
    action: 'import',
    subject: `${sync.name}/${table.name}`,
    detail: { runId: started.runId, file: upload.fileName },
  });
  return started;
}
