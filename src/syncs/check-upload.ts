import { SyncFailure } from '../domain/failures.ts';
import type { SyncDefinition, TableDefinition, Upload } from './define-sync.ts';
import { validateRow } from './validate-row.ts';

/** A row of a file that can't be taken. */
interface UploadError {
  /** 1-based line of a text file, or row of a sheet. */
  readonly row: number;
  /** Each begins with the name of its column, where one is to blame. */
  readonly reasons: readonly string[];
}

export interface CheckedUpload {
  readonly rows: number;
  readonly errors: readonly UploadError[];
}

/** The table that a kind of file is for, and its sync. @throws SyncFailure InvalidInput naming the kinds there are */
export function findUploadTable(
  syncs: readonly SyncDefinition[],
  kind: string,
): { readonly sync: SyncDefinition; readonly table: TableDefinition } {
  const all = syncs.flatMap((sync) =>
    sync.tables.flatMap((table) =>
      'readUpload' in table.source ? [{ sync, table, kind: table.source.kind }] : [],
    ),
  );
  const found = all.find((each) => each.kind === kind);
  if (found) return found;
  const known = all.map((each) => each.kind).join(', ');
  throw new SyncFailure('InvalidInput', `There is no kind of file '${kind}'. Known: ${known}.`);
}

/**
 * Reads a file as a run would, and says what is wrong in it. Loads nothing.
 *
 * @throws SyncFailure FileUnreadable or MissingColumn when the file as a whole can't be used
 */
export async function checkUpload(table: TableDefinition, upload: Upload): Promise<CheckedUpload> {
  if (!('readUpload' in table.source)) return { rows: 0, errors: [] };
  const errors: UploadError[] = [];
  let rows = 0;
  for await (const page of table.source.readUpload(upload)) {
    rows += page.rows.length;
    for (const row of page.rows) {
      const verdict = validateRow(table, row);
      if (verdict.kind === 'quarantined') errors.push({ row: row.position, reasons: verdict.reasons });
    }
  }
  return { rows, errors };
}
