import { z } from 'zod';
import type { CsvColumn } from '../../connectors/csv/match-header.ts';
import { readWorkbook } from '../../connectors/xlsx/read-workbook.ts';
import { date, integer, keyText, required, text } from '../columns.ts';
import type { TableDefinition, UploadSource } from '../define-sync.ts';
import { wholeFile } from '../whole-file.ts';
import { BUDGET_KEY } from './tables.ts';
import { amount, timeOfDay, yesNo } from './upload-columns.ts';

/** The sheets of the operations workbook, each of them required. */
const SHEETS = ['ops_capacity', 'holiday_blackout_dates', 'rules'] as const;

interface SheetOptions {
  readonly kind: string;
  readonly columns: readonly CsvColumn[];
  readonly sheet?: (typeof SHEETS)[number];
}

function sheetOf({ kind, columns, sheet }: SheetOptions): UploadSource {
  return {
    setting: 'upload',
    kind,
    sheet: sheet ?? 'the first one',
    headers: Object.fromEntries(columns.map(({ name, header }) => [name, header])),
    async *readUpload({ fileName, read }) {
      const sheets = sheet === undefined ? [] : SHEETS;
      const options = { source: fileName, columns, sheet, sheets };
      yield { rows: await readWorkbook(await wholeFile(read()), options), nextCursor: null };
    },
  };
}

const office = { name: 'office', header: 'Office', required: true };
const notes = { name: 'notes', header: 'Notes' };

/** Drivers of each office. */
export const opsCapacity: TableDefinition = {
  name: 'ops_capacity',
  key: ['office'],
  row: z.object({ office: required(keyText()), drivers_per_day: integer(), notes: text() }),
  archives: false,
  source: sheetOf({
    kind: 'operations',
    sheet: 'ops_capacity',
    columns: [office, { name: 'drivers_per_day', header: 'Drivers Per Day', required: true }, notes],
  }),
};

/** Days on which an office lends nothing. */
export const holidayBlackoutDates: TableDefinition = {
  name: 'holiday_blackout_dates',
  key: ['office', 'date', 'holiday_name'],
  row: z.object({
    office: required(keyText()),
    date: required(date()),
    holiday_name: required(keyText()),
    type: text(),
    all_day: yesNo(),
    start_time: timeOfDay(),
    end_time: timeOfDay(),
    notes: text(),
  }),
  archives: false,
  source: sheetOf({
    kind: 'operations',
    sheet: 'holiday_blackout_dates',
    columns: [
      office,
      { name: 'date', header: 'Date', required: true },
      { name: 'holiday_name', header: 'Holiday Name', required: true },
      { name: 'type', header: 'Type' },
      { name: 'all_day', header: 'All_Day' },
      { name: 'start_time', header: 'Start_Time' },
      { name: 'end_time', header: 'End_Time' },
      { ...notes, aliases: ['Notea'] },
    ],
  }),
};

/** How often a make may be lent to whom. */
export const rules: TableDefinition = {
  name: 'rules',
  key: ['make', 'rank'],
  row: z.object({
    make: required(keyText()),
    rank: required(keyText()),
    loan_cap_per_year: integer(),
    pub_rate_requirement: text(),
    cooldown_period: text(),
    soft_vs_hard_constraint: text(),
    rule_description: text(),
    notes: text(),
  }),
  archives: false,
  source: sheetOf({
    kind: 'operations',
    sheet: 'rules',
    columns: [
      { name: 'make', header: 'Make', required: true },
      { name: 'rank', header: 'Rank', required: true },
      { name: 'loan_cap_per_year', header: 'Loan Cap Per Year' },
      { name: 'pub_rate_requirement', header: 'Pub Rate Requirement', aliases: [':ub Rate Requirement'] },
      { name: 'cooldown_period', header: 'Cooldown Period' },
      {
        name: 'soft_vs_hard_constraint',
        header: 'Soft vs. Hard Constraint',
        aliases: ['Soft vs. Hard Contraint'],
      },
      { name: 'rule_description', header: 'Rule Description' },
      notes,
    ],
  }),
};

/** What may be spent; what was spent of it comes from the nightly export and is not touched. */
export const budgetAmounts: TableDefinition = {
  name: 'budget_amounts',
  live: 'budgets',
  key: Object.keys(BUDGET_KEY),
  row: z.object({ ...BUDGET_KEY, budget_amount: required(amount()) }),
  archives: false,
  source: sheetOf({
    kind: 'budgets',
    columns: [
      office,
      { name: 'fleet', header: 'Fleet', required: true },
      { name: 'year', header: 'Year', required: true },
      { name: 'quarter', header: 'Quarter', required: true },
      { name: 'budget_amount', header: 'Budget', aliases: ['Budget #'], required: true },
    ],
  }),
};
