import { CopyBytes } from '../db/copy-bytes.ts';
import { SyncFailure } from '../domain/failures.ts';
import type { SourceRow } from '../domain/source.ts';
import { uploadOf } from './configured.ts';
import type { SyncDefinition, TableDefinition, Upload, UploadSource } from './define-sync.ts';
import { validateRow } from './validate-row.ts';
import { writeQuickly } from './write-quickly.ts';

/** What is wrong in one cell, and what to do about it. */
interface CellError {
  /** As the file calls it; null when the row as a whole is wrong. */
  readonly column: string | null;
  /** As the file shows it, cut; null when the table holds secrets. */
  readonly value: string | null;
  readonly problem: string;
  readonly remedy: string;
}

/** A row of a file that can't be taken. */
export interface UploadError {
  readonly table: string;
  /** Of a workbook with several. */
  readonly sheet: string | null;
  /** 1-based line of a text file, or row of a sheet. */
  readonly row: number;
  /** Each begins with the name of its column, where one is to blame. */
  readonly reasons: readonly string[];
  readonly cells: readonly CellError[];
}

interface Counted {
  readonly rows: number;
  /** How many of them can't be taken. */
  readonly badRows: number;
}

export interface CheckedUpload extends Counted {
  /** Each table that the file feeds. */
  readonly tables: readonly (Counted & { readonly table: string })[];
  /** The first of the bad rows of each table. */
  readonly errors: readonly UploadError[];
  /** False when there are more rows than were asked for. */
  readonly complete: boolean;
}

/** A kind of file, and the tables it feeds. */
export interface UploadKind {
  readonly kind: string;
  readonly sync: SyncDefinition;
  readonly parts: readonly UploadPart[];
  /** The largest file it takes. */
  readonly maxBytes: number;
}
export interface CheckOptions {
  /** How many rows are looked at, about; all of them when absent. */
  readonly rowsMax?: number | undefined;
  /** Told now and then how many rows have been read. */
  readonly progress?: (rows: number) => void;
}

/** As many rows of a file are looked at before it is loaded; the run looks at all of them. */
export const PREVIEW_ROWS = 100_000;

interface UploadPart {
  readonly table: TableDefinition;
  readonly source: UploadSource;
}

const ERRORS_KEPT_MAX = 1_000;
const VALUE_LENGTH_MAX = 80;
const FILE_BYTES_MAX = 50 * 1024 * 1024;

/** Every kind of file that people upload. */
export function listUploadKinds(syncs: readonly SyncDefinition[]): UploadKind[] {
  const kinds = new Map<string, UploadKind>();
  for (const sync of syncs) {
    for (const table of sync.tables) {
      const source = uploadOf(table);
      if (!source) continue;
      const { kind, maxBytes = FILE_BYTES_MAX } = source;
      const parts = [...(kinds.get(kind)?.parts ?? []), { table, source }];
      kinds.set(kind, { kind, sync, parts, maxBytes });
    }
  }
  return [...kinds.values()];
}

/** A kind of file by its name. @throws SyncFailure InvalidInput naming the kinds there are */
export function findUploadKind(syncs: readonly SyncDefinition[], name: string): UploadKind {
  const kinds = listUploadKinds(syncs);
  const found = kinds.find(({ kind }) => kind === name);
  if (found) return found;
  const known = kinds.map(({ kind }) => kind).join(', ');
  throw new SyncFailure('InvalidInput', `There is no kind of file '${name}'. Known: ${known}.`);
}

/**
 * What is kept of a file, which need not be the file itself.
 *
 * @throws SyncFailure FileUnreadable or MissingColumn when the file as a whole can't be used
 */
export async function prepareUpload({ parts }: UploadKind, given: Upload): Promise<Upload> {
  const prepare = parts.find(({ source }) => source.prepare !== undefined)?.source.prepare;
  return (await prepare?.(given)) ?? given;
}

/**
 * Reads a file as a run would, and says what is wrong in it. Loads nothing. Takes little memory, however large the
 * file is.
 *
 * @param today the day (YYYY-MM-DD) in the zone of the table's sync
 * @throws SyncFailure FileUnreadable or MissingColumn when the file as a whole can't be used
 */
export async function checkUpload(
  { parts }: UploadKind,
  upload: Upload,
  today: string,
  { rowsMax = Infinity, progress }: CheckOptions = {},
): Promise<CheckedUpload> {
  const tables: CheckedUpload['tables'][number][] = [];
  const errors: UploadError[] = [];
  let before = 0;
  let complete = true;
  for (const part of parts) {
    const checked = await checkPart(part, upload, today, {
      rowsMax,
      progress: (rows) => progress?.(before + rows),
    });
    complete = complete && checked.complete;
    errors.push(...checked.errors);
    tables.push({ table: part.table.name, rows: checked.rows, badRows: checked.badRows });
    before += checked.rows;
  }
  return {
    rows: before,
    badRows: tables.reduce((sum, { badRows }) => sum + badRows, 0),
    tables,
    errors,
    complete,
  };
}

async function checkPart(
  { table, source }: UploadPart,
  upload: Upload,
  today: string,
  { rowsMax = Infinity, progress }: CheckOptions,
): Promise<Omit<CheckedUpload, 'tables'>> {
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
      if (errors.length >= ERRORS_KEPT_MAX) continue;
      errors.push({
        table: table.name,
        sheet: source.sheet ?? null,
        row: row.position,
        reasons: verdict.reasons,
        cells: verdict.reasons.map((reason) => cellError({ table, source }, row, reason)),
      });
    }
    rows += page.rows.length;
    progress?.(rows);
    if (rows >= rowsMax) return { rows, badRows, errors, complete: false };
  }
  return { rows, badRows, errors, complete: true };
}

const REASON = /^(\w+): (.+)$/s;

function cellError({ table, source }: UploadPart, row: SourceRow, reason: string): CellError {
  const [, name = '', problem = reason] = REASON.exec(reason) ?? [];
  if (!(name in table.row.shape)) {
    return { column: null, value: null, problem: reason, remedy: 'Correct the row, or remove it.' };
  }
  const column = source.headers?.[name] ?? name;
  const value = row.values[name];
  const shown = typeof value === 'string' && !table.secret ? value.trim().slice(0, VALUE_LENGTH_MAX) : null;
  return { column, value: shown, problem, remedy: remedyOf(problem, column) };
}

function remedyOf(problem: string, column: string): string {
  if (problem.includes('is required and blank')) return `Fill in ${column}.`;
  const [, expected] = / is not (.+)$/s.exec(problem) ?? [];
  return expected === undefined ? 'Correct the cell.' : `Write ${expected}.`;
}
