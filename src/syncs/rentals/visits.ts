import { z } from 'zod';
import type { CsvColumn } from '../../connectors/csv/match-header.ts';
import { readRows } from '../../connectors/csv/read-rows.ts';
import { isWorkbook, readWorkbook } from '../../connectors/xlsx/read-workbook.ts';
import type { SourcePage, SourceRow } from '../../domain/source.ts';
import { integer, required, text } from '../columns.ts';
import type { TableDefinition, Upload } from '../define-sync.ts';
import { wholeFile } from '../whole-file.ts';
import { day, store } from './columns.ts';
import { findStoreIn } from './store-name.ts';
import { LEAD, LEADS } from './tables.ts';

/** The columns of a file of visits. */
const COLUMNS: readonly CsvColumn[] = [
  { name: 'number', header: '#', aliases: ['No', 'Sl No', 'S No'] },
  { name: 'enquiry_date', header: 'Date', aliases: ['Enquiry Date', 'Visit Date'], required: true },
  { name: 'name', header: 'Customer Name', aliases: ['Customer'], required: true },
  {
    name: 'phone',
    header: 'Contact',
    aliases: ['Phone', 'Phone No', 'Mobile', 'Contact No'],
    required: true,
  },
  { name: 'function_date', header: 'Function Date', aliases: ['Event Date'] },
  { name: 'attended_by', header: 'Staff', aliases: ['Attended By', 'Handled By'] },
  { name: 'closing_status', header: 'Status' },
  { name: 'category', header: 'Category' },
  { name: 'sub_category', header: 'Sub Category' },
  { name: 'repeat_count', header: 'Repeat count' },
  { name: 'remarks', header: 'Remarks', aliases: ['Feedback', 'Notes'] },
  { name: 'store', header: 'Store', aliases: ['Location', 'Branch'] },
  { name: 'reason_collected_from_store', header: 'Reason', aliases: ['Reason collected from store'] },
];

const named = (cell: unknown): string => (typeof cell === 'string' ? cell.trim() : '');

const LOST = /loss|lost/i;

type Kind = 'walk-ins' | 'loss-of-sale';

const typeOf = (kind: Kind, status: unknown): 'enquiry' | 'lossOfSale' =>
  kind === 'loss-of-sale' || LOST.test(String(status)) ? 'lossOfSale' : 'enquiry';

async function* readUpload(
  kind: Kind,
  { fileName, read, options }: Upload,
): AsyncGenerator<SourcePage, void, undefined> {
  const fallback = options['store'] ?? findStoreIn(fileName) ?? '';
  const withOrigin = ({ position, values, raw, unreadable }: SourceRow): SourceRow => ({
    position,
    raw,
    unreadable,
    values: {
      ...values,
      store: named(values['store']) || fallback,
      lead_type: typeOf(kind, values['closing_status']),
      source: kind,
    },
  });
  for await (const page of readPages(fileName, await wholeFile(read()))) {
    yield { rows: page.rows.map(withOrigin), drift: page.drift, nextCursor: null };
  }
}

async function* readPages(fileName: string, content: Buffer): AsyncGenerator<SourcePage> {
  const options = { source: fileName, columns: COLUMNS };
  if (isWorkbook(content)) {
    yield { rows: await readWorkbook(content, options), nextCursor: null };
    return;
  }
  yield* readRows(once(content), { ...options, encodingFallback: 'windows-1252' });
}

async function* once(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}

const visitRow = z.object({
  ...LEAD,
  store: required(store()),
  enquiry_date: required(day()),
  closing_status: text(),
  repeat_count: integer(),
  reason_collected_from_store: text(),
});

const visits = (name: string, kind: Kind): TableDefinition => ({
  ...LEADS,
  name,
  row: visitRow,
  insertOnly: ['remarks', 'reason_collected_from_store'],
  source: { setting: 'upload', kind, readUpload: (upload) => readUpload(kind, upload) },
});

/** Visitors of a store, from its own files. A visit that is there is updated, apart from what people write. */
export const walkIns = visits('walk_ins', 'walk-ins');

/** Visitors who did not buy. */
export const lossOfSale = visits('loss_of_sale', 'loss-of-sale');
