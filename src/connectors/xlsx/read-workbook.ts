import readSheets from 'read-excel-file/node';
import { SyncFailure } from '../../domain/failures.ts';
import type { SourceRow } from '../../domain/source.ts';
import { type CsvColumn, matchHeader } from '../csv/match-header.ts';
import { recogniseContent } from '../csv/recognise-content.ts';
import { checkArchive } from './check-archive.ts';

export interface WorkbookOptions {
  /** How errors name the file. */
  readonly source: string;
  readonly columns: readonly CsvColumn[];
  /** The sheet, matched without regard to case, spaces and underscores; the first one when absent. */
  readonly sheet?: string;
  /** Sheets that have to be there too, though they are not read. */
  readonly sheets?: readonly string[];
}

/** Whether a file is a workbook by its first bytes, which are those of a ZIP archive. */
export const isWorkbook = (content: Buffer): boolean => content.subarray(0, 2).toString('latin1') === 'PK';

/**
 * The rows of one sheet of an Excel workbook, below its header row, which is the first that is not blank. A formula is
 * its value. Dates become YYYY-MM-DD, times HH:MM, and numbers keep the digits they are stored with. The whole
 * workbook is in memory.
 *
 * @throws SyncFailure FileUnreadable or MissingColumn when the file as a whole can't be used
 */
export async function readWorkbook(content: Buffer, options: WorkbookOptions): Promise<SourceRow[]> {
  const { source, columns } = options;
  const { name, cells: all } = await findSheet(content, options);
  const where = options.sheet === undefined ? source : `${source}, sheet '${name}'`;
  const headerAt = Math.max(
    0,
    all.findIndex((row) => row.some((cell) => cell.trim() !== '')),
  );
  const match = matchHeader(all[headerAt] ?? [], columns);
  if (match === null) {
    throw new SyncFailure(
      'FileUnreadable',
      `${where}: the first row is not the header. Expected: ${columns.map((column) => column.header).join(', ')}.`,
    );
  }
  const missing = columns.filter(({ required }, at) => required === true && match.cellOf[at] === -1);
  if (missing.length > 0) {
    const names = missing.map((column) => `'${column.header}'`).join(', ');
    throw new SyncFailure('MissingColumn', `${where}: the header lacks the required column ${names}.`);
  }
  return all.slice(headerAt + 1).flatMap((cells, index): SourceRow[] => {
    if (cells.every((cell) => cell.trim() === '')) return [];
    const values = columns.map((column, at) => [column.name, cells[match.cellOf[at] ?? -1] ?? '']);
    return [{ position: headerAt + index + 2, values: Object.fromEntries(values), raw: cells.join(',') }];
  });
}

interface Sheet {
  readonly name: string;
  readonly cells: readonly (readonly string[])[];
}

async function findSheet(content: Buffer, { source, sheet, sheets = [] }: WorkbookOptions): Promise<Sheet> {
  const found = await readAll(content, source);
  const missing = [...new Set([...(sheet === undefined ? [] : [sheet]), ...sheets])].filter(
    (wanted) => !found.some(({ name }) => normalised(name) === normalised(wanted)),
  );
  if (missing.length > 0) {
    const names = missing.map((name) => `'${name}'`).join(', ');
    const there = found.map(({ name }) => `'${name}'`).join(', ');
    throw new SyncFailure(
      'FileUnreadable',
      `${source}: the workbook lacks the sheet${missing.length > 1 ? 's' : ''} ${names}. It has ${there || 'none'}.`,
    );
  }
  const wanted =
    sheet === undefined ? found[0] : found.find(({ name }) => normalised(name) === normalised(sheet));
  if (wanted) return wanted;
  throw new SyncFailure('FileUnreadable', `${source}: the workbook has no sheet.`);
}

const normalised = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

async function readAll(content: Buffer, source: string): Promise<Sheet[]> {
  if (!isWorkbook(content)) {
    const what = content.length === 0 ? 'an empty file' : (recogniseContent(content) ?? 'plain text or CSV');
    throw new SyncFailure(
      'FileUnreadable',
      `${source}: this is ${what}, not an Excel workbook. In Excel, save it as "Excel Workbook (.xlsx)".`,
    );
  }
  checkArchive(content, source);
  try {
    const found = await readSheets(content, { parseNumber: (text) => text });
    return found.map(({ sheet, data }) => ({
      name: sheet,
      cells: data.map((row) => row.map((cell: unknown) => asText(cell))),
    }));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SyncFailure('FileUnreadable', `${source}: this is no Excel workbook (.xlsx): ${reason}`);
  }
}

/** Times without a day are kept as those of the last days of 1899. */
const FIRST_YEAR = 1901;

function asText(cell: unknown): string {
  if (cell instanceof Date) {
    const iso = cell.toISOString();
    return cell.getUTCFullYear() < FIRST_YEAR ? iso.slice(11, 16) : iso.slice(0, 10);
  }
  if (cell === null || cell === undefined) return '';
  return typeof cell === 'string' ? cell : JSON.stringify(cell);
}
