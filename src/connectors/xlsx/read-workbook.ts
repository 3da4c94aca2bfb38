import { readSheet } from 'read-excel-file/node';
import { SyncFailure } from '../../domain/failures.ts';
import type { SourceRow } from '../../domain/source.ts';
import { type CsvColumn, matchHeader } from '../csv/match-header.ts';

export interface WorkbookOptions {
  /** How errors name the file. */
  readonly source: string;
  readonly columns: readonly CsvColumn[];
}

/** Whether a file is a workbook by its first bytes, which are those of a ZIP archive. */
export const isWorkbook = (content: Buffer): boolean => content.subarray(0, 2).toString('latin1') === 'PK';

/**
 * The rows of the first sheet of an Excel workbook, below its header row. Dates become YYYY-MM-DD and numbers keep
 * the digits they are stored with. The whole sheet is in memory.
 *
 * @throws SyncFailure FileUnreadable or MissingColumn when the file as a whole can't be used
 */
export async function readWorkbook(
  content: Buffer,
  { source, columns }: WorkbookOptions,
): Promise<SourceRow[]> {
  const [header = [], ...rows] = await readCells(content, source);
  const match = matchHeader(header, columns);
  if (match === null) {
    throw new SyncFailure(
      'FileUnreadable',
      `${source}: the first row is not the header. Expected: ${columns.map((column) => column.header).join(', ')}.`,
    );
  }
  const missing = columns.filter(({ required }, at) => required === true && match.cellOf[at] === -1);
  if (missing.length > 0) {
    const names = missing.map((column) => `'${column.header}'`).join(', ');
    throw new SyncFailure('MissingColumn', `${source}: the header lacks the required column ${names}.`);
  }
  return rows.flatMap((cells, index): SourceRow[] => {
    if (cells.every((cell) => cell.trim() === '')) return [];
    const values = columns.map(({ name }, at) => [name, cells[match.cellOf[at] ?? -1] ?? '']);
    return [{ position: index + 2, values: Object.fromEntries(values), raw: cells.join(',') }];
  });
}

async function readCells(content: Buffer, source: string): Promise<string[][]> {
  try {
    const sheet = await readSheet(content, { parseNumber: (text) => text });
    return sheet.map((row) => row.map((cell: unknown) => asText(cell)));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SyncFailure('FileUnreadable', `${source}: this is no Excel workbook (.xlsx): ${reason}`);
  }
}

function asText(cell: unknown): string {
  if (cell instanceof Date) return cell.toISOString().slice(0, 10);
  if (cell === null || cell === undefined) return '';
  return typeof cell === 'string' ? cell : JSON.stringify(cell);
}
