import { type Column, column, refuse } from '../columns.ts';

const YES = new Set(['true', 'yes', 'y', 'x', '1']);
const NO = new Set(['false', 'no', 'n', '0']);

/** Yes or no, as people and spreadsheets write it. */
export const yesNo = (): Column =>
  column((value, issues) => {
    const lower = value.toLowerCase();
    if (YES.has(lower)) return 'true';
    return NO.has(lower) ? 'false' : refuse(issues, value, 'yes or no');
  });

const TIME = /^(\d{1,2})(?::(\d{2}))?(?::\d{2})?\s*([ap])?\.?(?:m\.?)?$/i;
const NOON = 12;

/** A time of day: `9:00`, `09:00:00`, `9 AM`, `5:30 p.m.`; it becomes HH:MM. */
export const timeOfDay = (): Column =>
  column((value, issues) => {
    const [, hour = '', minute = '00', half] = TIME.exec(value) ?? [];
    const isPm = half?.toLowerCase() === 'p';
    const hours = half === undefined ? Number(hour) : (Number(hour) % NOON) + (isPm ? NOON : 0);
    const isTime =
      hour !== '' &&
      hours < 24 &&
      Number(minute) < 60 &&
      (half === undefined || (Number(hour) > 0 && Number(hour) <= NOON));
    return isTime
      ? `${String(hours).padStart(2, '0')}:${minute}`
      : refuse(issues, value, 'a time of day (9:00 or 5:30 PM)');
  });

const AMOUNT_MAX = 1e12;

/** An amount as a workbook stores it: `1200`, `1.5E3`, `2999.9999999999995`, or `$1,200.50` as text. */
export const amount = (): Column =>
  column((value, issues) => {
    const plain = value.replace(/^(-?)\$/, '$1').replaceAll(',', '');
    const number = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : Number.NaN;
    const cents = Math.round(number * 100) / 100;
    return Math.abs(number) < AMOUNT_MAX && Math.abs(number - cents) < 1e-6
      ? cents.toFixed(2)
      : refuse(issues, value, 'an amount of money');
  });
