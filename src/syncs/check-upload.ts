import { CopyBytes } from '../db/copy-bytes.ts';
import { SyncFailure } from '../domain/failures.ts';
import { uploadOf } from './configured.ts';
import type { SyncDefinition, TableDefinition, Upload, UploadSource } from './define-sync.ts';
import { validateRow } from './validate-row.ts';
import { writeQuickly } from './write-quickly.ts';

/** A row of a file that can't be taken. */
interface UploadError {
  /** 1-based line of a text file, or row of a sheet. */
  readonly row: number;
  /** Each begins with the name of its column, where one is to blame. */
  readonly reasons: readonly string[];
}

export interface CheckedUpload {
  readonly rows: number;
  /** How many of them can't be taken. */
  readonly badRows: number;
  /** The first of those. */
  readonly errors: readonly UploadError[];
  /** False when there are more rows than were asked for. */
  readonly complete: boolean;
}

export interface CheckOptions {
  /** How many rows are looked at, about; all of them when absent. */
  readonly rowsMax?: number | undefined;
  /** Told now and then how many rows have been read. */
  readonly progress?: (rows: number) => void;
}

/** As many rows of a file are looked at before it is loaded; the run looks at all of them. */
export const PREVIEW_ROWS = 100_000;

const ERRORS_KEPT_MAX = 1_000;

/** The table that a kind of file is for, and its sync. @throws SyncFailure InvalidInput naming the kinds there are */
export function findUploadTable(
  syncs: readonly SyncDefinition[],
  kind: string,
): { readonly sync: SyncDefinition; readonly table: TableDefinition; readonly source: UploadSource } {
  const all = syncs.flatMap((sync) =>
    sync.tables.flatMap((table) => {
      const source = uploadOf(table);
      return source ? [{ sync, table, source }] : [];
    }),
  );
  const found = all.find(({ source }) => source.kind === kind);
  if (found) return found;
  const known = all.map(({ source }) => source.kind).join(', ');
  throw new SyncFailure('InvalidInput', `There is no kind of file '${kind}'. Known: ${known}.`);
}

/**
 * Reads a file as a run would, and says what is wrong in it. Loads nothing. Takes little memory, however large the
 * file is.
 *
 * @param today the day (YYYY-MM-DD) in the zone of the table's sync
 * @throws SyncFailure FileUnreadable or MissingColumn when the file as a whole can't be used
 */
export async function checkUpload(
  table: TableDefinition,
  upload: Upload,
  today: string,
  { rowsMax = Infinity, progress }: CheckOptions = {},
): Promise<CheckedUpload> {
  const source = uploadOf(table);
  if (!source) return { rows: 0, badRows: 0, errors: [], complete: true };
  const errors: UploadError[] = [];
  let [rows, badRows] = [0, 0];
  // Of no use but to the check.
  const written = new CopyBytes();
  for await (const page of source.readUpload(upload)) {
    const quickly = writeQuickly(table, page.columns ?? [], today);
    for (const row of page.rows) {
      written.length = 0;
      if (quickly(row, written)) continue;
      const verdict = validateRow(table, row, today);
      if (verdict.kind === 'valid') continue;
      badRows += 1;
      if (errors.length < ERRORS_KEPT_MAX) errors.push({ row: row.position, reasons: verdict.reasons });
    }
    rows += page.rows.length;
    progress?.(rows);
    if (rows >= rowsMax) return { rows, badRows, errors, complete: false };
  }
  return { rows, badRows, errors, complete: true };
}
