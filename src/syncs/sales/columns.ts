/** Schemas for the columns of sales, beside the common ones in ../columns.ts. */
import { type Column, column, refuse } from '../columns.ts';

/** Most cells are like this and need no other form: no sign, no blanks, no leading zeros. */
const PLAIN = /^[1-9]\d{0,8}$/;
const PLAIN_AMOUNT = /^(?:0|[1-9]\d{0,9})\.\d\d$/;
const NUMBER = /^\+?(\d{1,12})(?:\.(\d+))?$/;
const ZERO = /^0*(\.0*)?$/;

interface Decimals {
  /** How many are kept though they are zero. */
  readonly min: number;
  /** More than these, unless they are zero, are refused. */
  readonly max: number;
}

/** A number above 0 in the one form that equal numbers share, or null. */
function canonical(value: string, { min, max }: Decimals): string | null {
  const found = NUMBER.exec(value.replace(/^(\+?)\$/, '$1').replaceAll(',', ''));
  if (!found) return null;
  const [, digits = '', fraction = ''] = found;
  const whole = digits.replace(/^0+(?=\d)/, '');
  const kept = fraction.replace(/0+$/, '');
  if (kept.length > max || ZERO.test(`${whole}.${kept}`)) return null;
  const shown = kept.padEnd(min, '0');
  return shown === '' ? whole : `${whole}.${shown}`;
}

const positive = (decimals: Decimals, plain: RegExp, expected: string): Column =>
  column((value, issues) => {
    if (plain.test(value) && value !== '0.00') return value;
    return canonical(value, decimals) ?? refuse(issues, value, expected);
  });

/** How many were sold: above 0, at most three decimals. */
export const quantity = (): Column =>
  positive({ min: 0, max: 3 }, PLAIN, 'a quantity above 0, with at most three decimals');

/** The price of one: above 0, at most four decimals, with or without `$` and thousands commas. */
export const unitPrice = (): Column =>
  positive({ min: 2, max: 4 }, PLAIN_AMOUNT, 'a price above 0, with at most four decimals');

/** An amount above 0 to the cent, with or without `$` and thousands commas. */
export const amount = (): Column =>
  positive({ min: 2, max: 2 }, PLAIN_AMOUNT, 'an amount above 0, to the cent');
