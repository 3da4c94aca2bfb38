import { audit } from '../db/audit.ts';
import { storeUpload } from '../db/uploads.ts';
import type { UploadKind } from '../syncs/check-upload.ts';
import type { Upload } from '../syncs/define-sync.ts';
import { type StartedRun, startRun } from '../temporal/runs.ts';
import type { Changer } from './client-changes.ts';
import type { Session } from './session.ts';

/** A file that was checked, and what it is for. */
export interface ImportedFile {
  readonly kind: UploadKind;
  /** As its source has prepared it. */
  readonly upload: Upload;
}

type Parts = Pick<Session, 'database' | 'client'>;

/** Keeps a file and starts the run that loads it. */
export async function startImport(
  session: Parts,
  { kind, upload }: ImportedFile,
  by: Changer,
): Promise<StartedRun> {
  const uploadId = await storeUpload(session.database, upload, { kind: kind.kind, uploadedBy: by.actor });
  return startKeptImport(session, { kind, uploadId, fileName: upload.fileName }, by);
}

/** Starts the run that loads a file that is kept already, or finds it. */
export async function startKeptImport(
  { database, client }: Parts,
  {
    kind: { kind, sync, parts },
    uploadId,
    fileName,
  }: { readonly kind: UploadKind; readonly uploadId: string; readonly fileName: string },
  { actor, tokenId }: Changer,
): Promise<StartedRun> {
  const tables = parts.map(({ table }) => table.name);
  const started = await startRun(client, {
    sync: sync.name,
    kind: 'import',
    tables,
    uploadId,
    trigger: 'upload',
    triggeredBy: actor,
  });
  await audit(database.db, {
    actor,
    action: 'import',
    subject: `${sync.name}/${tables.length === 1 ? tables[0] : kind}`,
    detail: { runId: started.runId, file: fileName, tokenId },
  });
  return started;
}
