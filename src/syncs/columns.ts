/**
 * Schemas for the columns of exports: each turns a cell into the text form of a PostgreSQL type, or null
 * for blank, 'N/A', 'n/a' and 'NULL'. A cell that does not fit gives an issue that names the value.
 */
import { z } from 'zod';
import { type CopyCell, copyDate, copyIdentifier, copyInteger, copyText, copyUpper } from './copy-cell.ts';

type Cell = string | null;

/** Where a reader says why a cell does not fit. */
interface Issues {
  addIssue(issue: { readonly code: 'custom'; readonly message: string }): void;
}

/** Reads one cell; adds an issue when it does not fit. */
type ReadCell = (cell: string | undefined, issues: Issues) => Cell;

interface CellReader {
  readonly read: ReadCell;
  /** Writes most of the cells that `read` accepts just as they then are, in less time. */
  readonly copy?: CopyCell | undefined;
}

/** How to read a column of this file without zod, which takes several times as long for a cell that fits. */
const cellReaders = new WeakMap<object, CellReader>();

/** The reader of a column of this file; undefined for any other schema. */
export const cellReader = (schema: object | undefined): CellReader | undefined =>
  schema && cellReaders.get(schema);

const KEY_LENGTH_MAX = 200;
const INTEGER_MAX = 2_147_483_647;

function present(cell: string | undefined): Cell {
  if (cell === undefined) return null;
  const text = cell.trim();
  return text === '' || text === 'N/A' || text === 'n/a' || text === 'NULL' ? null : text;
}

function shown(text: string): string {
  return text.length > 80 ? `'${text.slice(0, 80)}…'` : `'${text}'`;
}

/** Says why a cell does not fit. */
export function refuse(issues: Issues, text: string, expected: string): never {
  issues.addIssue({ code: 'custom', message: `${shown(text)} is not ${expected}` });
  return z.NEVER;
}

const BLANK = 'is required and blank here';

function refuseBlank(issues: Issues): null {
  issues.addIssue({ code: 'custom', message: BLANK });
  return null;
}

/** A schema that reads a cell which is not blank with `read`. */
export function column(read: (text: string, issues: Issues) => Cell, copy?: CopyCell) {
  const readCell: ReadCell = (cell, issues) => {
    const value = present(cell);
    return value === null ? null : read(value, issues);
  };
  const schema = z.string().optional().transform(readCell);
  cellReaders.set(schema, { read: readCell, copy });
  return schema;
}

export type Column = ReturnType<typeof column>;

/** The same column, refusing blanks. */
export function required(schema: Column) {
  const refined = schema.refine((value) => value !== null, { message: BLANK });
  const reader = cellReaders.get(schema);
  if (reader) {
    const { read, copy } = reader;
    cellReaders.set(refined, {
      read: (cell, issues) => read(cell, issues) ?? refuseBlank(issues),
      copy: copy && notNull(copy),
    });
  }
  return refined;
}

/** A blank cell is left to the reader that refuses it. */
const notNull =
  (copy: CopyCell): CopyCell =>
  (out, bytes, from, to) => {
    const outcome = copy(out, bytes, from, to);
    return outcome === 'null' ? 'other' : outcome;
  };

export const text = (): Column => column((value) => value, copyText);

/** Text short enough to be part of a key. */
export const keyText = (): Column =>
  column((value, issues) =>
    value.length > KEY_LENGTH_MAX
      ? refuse(issues, value, `at most ${KEY_LENGTH_MAX} characters long`)
      : value,
  );

/** An id that a spreadsheet may have turned into a number: `1234.0` is `1234`. */
export const identifier = (): Column =>
  column(
    (value, issues) =>
      value.length > KEY_LENGTH_MAX
        ? refuse(issues, value, `at most ${KEY_LENGTH_MAX} characters long`)
        : value.replace(/(?<=.)\.0+$/, ''),
    copyIdentifier(KEY_LENGTH_MAX),
  );

/** A vehicle identification number, upper-cased. */
export const vin = (): Column =>
  column(
    (value, issues) => (value.length > KEY_LENGTH_MAX ? refuse(issues, value, 'a VIN') : value.toUpperCase()),
    copyUpper(KEY_LENGTH_MAX),
  );

/** A whole number, with or without thousands commas: `45,210`, `2,025`, `7.0`. */
export const integer = (): Column =>
  column((value, issues) => {
    const digits = value.replaceAll(',', '').replace(/\.0+$/, '');
    return /^[+-]?\d{1,10}$/.test(digits) && Math.abs(Number(digits)) <= INTEGER_MAX
      ? digits
      : refuse(issues, value, 'a whole number');
  }, copyInteger);

/** An amount with at most two decimals, with or without `$` and thousands commas. */
export const money = (): Column =>
  column((value, issues) => {
    const digits = value.replace(/^(-?)\$/, '$1').replaceAll(',', '');
    return /^-?\d{1,12}(\.\d{1,2}0*)?$/.test(digits) ? digits : refuse(issues, value, 'an amount of money');
  });

/** One of a closed set, matched without regard to case. */
export const oneOf = (...allowed: readonly string[]): Column => {
  const byLowerCase = new Map(allowed.map((value) => [value.toLowerCase(), value]));
  return column(
    (value, issues) =>
      byLowerCase.get(value.toLowerCase()) ?? refuse(issues, value, `one of ${allowed.join(', ')}`),
  );
};

/** Upper-cased text with other spellings replaced. */
export const upperCase = (spellings: Readonly<Record<string, string>> = {}): Column =>
  column((value, issues) => {
    const upper = value.toUpperCase();
    return upper.length > KEY_LENGTH_MAX
      ? refuse(issues, value, `at most ${KEY_LENGTH_MAX} characters long`)
      : (spellings[upper] ?? upper);
  });

const MONTH_DAY_YEAR = /^(\d{1,2})([-/])(\d{1,2})\2(\d{4}|\d{2})$/;
const ISO_DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const MONTH_YEAR = /^(\d{1,2})[-/](\d{4})$/;

/** 00–69 are 20xx, 70–99 19xx. */
export function fullYear(year: string): number {
  if (year.length === 4) return Number(year);
  return Number(year) < 70 ? 2000 + Number(year) : 1900 + Number(year);
}

/** The ISO text of a date that exists in the calendar, else null. */
export function isoDate(year: number, month: number, day: number): Cell {
  if (year < 1 || month < 1 || month > 12 || day < 1) return null;
  if (day > 28 && day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return null;
  return `${String(year).padStart(4, '0')}-${month < 10 ? '0' : ''}${month}-${day < 10 ? '0' : ''}${day}`;
}

function readDate(value: string): Cell {
  const us = MONTH_DAY_YEAR.exec(value);
  if (us) return isoDate(fullYear(us[4] ?? ''), Number(us[1]), Number(us[3]));
  const iso = ISO_DATE.exec(value);
  return iso ? isoDate(Number(iso[1]), Number(iso[2]), Number(iso[3])) : null;
}

const REMEMBERED_MAX = 10_000;

/** Remembers answers: an export has few different dates, each on many rows. */
function remember(read: (cell: string) => Cell): (cell: string) => Cell {
  const answers = new Map<string, Cell>();
  return (cell) => {
    let answer = answers.get(cell);
    if (answer !== undefined) return answer;
    answer = read(cell);
    if (answers.size >= REMEMBERED_MAX) answers.clear();
    answers.set(cell, answer);
    return answer;
  };
}

/** A day: `MM/DD/YY`, `MM-DD-YY`, either with a year of four digits, or ISO. 00–69 are 20xx, 70–99 19xx. */
export const date = (): Column => {
  const read = remember(readDate);
  return column(
    (value, issues) =>
      read(value) ?? refuse(issues, value, 'a date of the calendar (MM/DD/YY, MM-DD-YY or YYYY-MM-DD)'),
    copyDate,
  );
};

/** A month, `M/YYYY`, read as its first day; a full date is taken as it is. */
export const month = (): Column =>
  column((value, issues) => {
    const found = MONTH_YEAR.exec(value);
    const day = found ? isoDate(Number(found[2]), Number(found[1]), 1) : readDate(value);
    return day ?? refuse(issues, value, 'a month (M/YYYY)');
  });
