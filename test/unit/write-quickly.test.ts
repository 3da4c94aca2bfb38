import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { RecordScanner } from '../../src/connectors/csv/record-scanner.ts';
import { CopyBytes } from '../../src/db/copy-bytes.ts';
import { copyColumns } from '../../src/db/copy-text.ts';
import type { SourceRow } from '../../src/domain/source.ts';
import type { TableDefinition } from '../../src/syncs/define-sync.ts';
import { fleetExport } from '../../src/syncs/fleet/demo-data.ts';
import type { FleetFeed } from '../../src/syncs/fleet/demo-world.ts';
import { approvedMakes, budgetSpending, loanHistory, vehicles } from '../../src/syncs/fleet/tables.ts';
import { validateRow } from '../../src/syncs/validate-row.ts';
import { writeQuickly } from '../../src/syncs/write-quickly.ts';

const columnsOf = ({ row }: TableDefinition): string[] => Object.keys(row.shape);

/** What the slow way makes of the same cells. */
function slowText(table: TableDefinition, cells: readonly string[]): string | null {
  const columns = columnsOf(table);
  const values = Object.fromEntries(columns.map((column, at) => [column, cells[at]]));
  const verdict = validateRow(table, { position: 1, raw: '', values });
  return verdict.kind === 'valid' ? copyColumns(columns, verdict.values) : null;
}

/** What the quick way makes of cells, given as texts and as they lie in a file. */
function quickText(table: TableDefinition, columns: readonly string[]) {
  const write = writeQuickly(table, columns);
  const written = (row: SourceRow): string | null => {
    const out = new CopyBytes();
    return write(row, out) ? out.take().toString() : null;
  };
  return (cells: readonly string[]): string | null => {
    const text = written({ position: 1, raw: '', values: {}, cells });
    expect(written({ position: 1, raw: '', values: {}, inPlace: inPlace(cells) })).toBe(text);
    return text;
  };
}

/** Cells as a file has them, in quotes where they have to be. */
function inPlace(cells: readonly string[]): SourceRow['inPlace'] {
  const file = cells.map((text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text));
  const scanner = new RecordScanner({ delimiter: ',', maxFieldBytes: 1_000_000, encoding: 'utf-8' });
  return scanner.scan(Buffer.from(`${file.join(',')}\n`)).records[0]?.inPlace;
}

const cell = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'N/A',
    'NULL',
    '12.0',
    '2,025',
    '$1.5',
    'A+',
    'vw',
    'back\\slash',
    'tab\there',
    'a\r\nb',
  ),
  fc.constantFrom('02/28/26', '02-30-26', '2026-01-05', '3/2024', '13/2024', 'x'.repeat(201)),
  fc.constantFrom('1/2/69', '1/2/70', '1/2-26', '2/29/2024', '2/29/2026', '12/31/0999', '0/1/26', '1/2/26 '),
  fc.constantFrom('n/a', 'Nil', 'nul', ' x', '\u00a0x', 'José', 'é', 'straße', '4"', '""', '1234567890', ','),
  fc.string(),
  fc.string({ unit: fc.constantFrom('0', '1', '9', '/', '-', ',', '.'), maxLength: 10 }),
);

/** Good rows of the demo, as cells. */
function demoRows(feed: FleetFeed): (readonly string[])[] {
  const scanner = new RecordScanner({ delimiter: ',', maxFieldBytes: 1_000_000, encoding: 'utf-8' });
  const lines = [...fleetExport(feed, { scale: 0.02 })].join('');
  return scanner.scan(Buffer.from(lines)).records.map(({ cells }) => cells);
}

test.each([
  ['vehicles', vehicles],
  ['loan_history', loanHistory],
  ['approved_makes', approvedMakes],
  ['budget_spending', budgetSpending],
] as const)(
  'rows of %s come out as validateRow reads them, and with anything wrong not at all',
  (feed, table) => {
    const quick = quickText(table, columnsOf(table));
    const rows = demoRows(feed);
    for (const cells of rows) expect(quick(cells)).toEqual(slowText(table, cells));
    fc.assert(
      fc.property(fc.constantFrom(...rows), fc.nat(), cell, (cells, at, other) => {
        const changed = cells.with(at % cells.length, other);
        expect(quick(changed)).toBe(slowText(table, changed));
      }),
      { numRuns: 1_000 },
    );
  },
);

test('a good row is encoded, also after a bad one', () => {
  const quick = quickText(approvedMakes, columnsOf(approvedMakes));
  expect(quick(['12.0', 'Pat', 'Audi', 'Z'])).toBeNull();
  expect(quick(['12.0', 'Pat\tO', 'Audi', 'a+'])).toBe('12\tPat\\tO\tAudi\tA+');
});

test('columns in another order, or of another kind, are left to validateRow', () => {
  const cells = ['12', 'Pat', 'Audi', 'A'];
  expect(quickText(approvedMakes, columnsOf(approvedMakes).toReversed())(cells)).toBeNull();
  expect(quickText(approvedMakes, [])(cells)).toBeNull();
  const row = z.object({ ...approvedMakes.row.shape, rank: z.string() });
  expect(quickText({ ...approvedMakes, row }, columnsOf(approvedMakes))(cells)).toBeNull();
});
