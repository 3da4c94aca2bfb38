/** Schemas for the columns of leads, beside the common ones in ../columns.ts. */
import { type Column, column, fullYear, isoDate, refuse } from '../columns.ts';
import { findStore } from './store-name.ts';

const DIGITS = 10;

/** A phone number as its last ten digits; one of nine digits gets a leading 0. */
export const phone = (): Column =>
  column((value, issues) => {
    const digits = value.replace(/\.0+$/, '').replaceAll(/\D/g, '');
    if (digits.length >= DIGITS) return digits.slice(-DIGITS);
    return digits.length === DIGITS - 1
      ? `0${digits}`
      : refuse(issues, value, 'a phone number: it needs at least 9 digits');
  });

const ISO = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?$/;
const DAY_FIRST = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?:[T ].*)?$/;

/** The year 1900, and the year 1, is what the software writes for "no date". */
const NO_DATE_YEAR_MAX = 1900;

/** A day: ISO, with or without a time, DD-MM-YYYY or DD/MM/YYYY. A day in 1900 or before is none. */
export const day = (): Column =>
  column((value, issues) => {
    const parts = readParts(value);
    const read = parts && isoDate(parts.year, parts.month, parts.day);
    if (!read) return refuse(issues, value, 'a date of the calendar (DD-MM-YYYY, DD/MM/YYYY or YYYY-MM-DD)');
    return parts.year <= NO_DATE_YEAR_MAX ? null : read;
  });

function readParts(value: string): { year: number; month: number; day: number } | null {
  const iso = ISO.exec(value);
  if (iso) return { year: Number(iso[1]), month: Number(iso[2]), day: Number(iso[3]) };
  const dayFirst = DAY_FIRST.exec(value);
  if (!dayFirst) return null;
  return { year: fullYear(dayFirst[4] ?? ''), month: Number(dayFirst[3]), day: Number(dayFirst[1]) };
}

/** The store that a spelling means. */
export const store = (): Column =>
  column(
    (value, issues) =>
      findStore(value) ??
      refuse(issues, value, "a store that is known, such as 'Suitor Guy - Kottayam' or 'SG Kottayam'"),
  );
