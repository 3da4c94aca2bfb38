const MS_PER_DAY = 86_400_000;
/** The date of night 0. */
export const FIRST_NIGHT_MS = Date.UTC(2026, 0, 1);

/** The Monday at or before a day. Days are counted from night 0, a Thursday; earlier ones are negative. */
export const mondayOf = (day: number): number => day - ((((day + 3) % 7) + 7) % 7);

const two = (number: number): string => String(number).padStart(2, '0');

function parts(day: number): { year: number; month: number; date: number } {
  const at = new Date(FIRST_NIGHT_MS + day * MS_PER_DAY);
  return { year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, date: at.getUTCDate() };
}

/** MM/DD/YY or MM/DD/YYYY. */
export function slashDate(day: number, form: number): string {
  const { year, month, date } = parts(day);
  return `${two(month)}/${two(date)}/${form % 2 === 0 ? two(year % 100) : year}`;
}

/** M/YYYY. */
export function monthYear(day: number): string {
  const { year, month } = parts(day);
  return `${month}/${year}`;
}

/** Mostly MM-DD-YY and MM/DD/YY, now and then with four digits of the year or in ISO form. */
export function mixedDate(day: number, form: number): string {
  const { year, month, date } = parts(day);
  const kind = form % 40;
  if (kind === 0) return `${year}-${two(month)}-${two(date)}`;
  if (kind === 1) return `${two(month)}/${two(date)}/${year}`;
  return kind % 2 === 0
    ? `${two(month)}-${two(date)}-${two(year % 100)}`
    : `${two(month)}/${two(date)}/${two(year % 100)}`;
}

/** 12345 as 12,345. */
export const withCommas = (number: number): string => String(number).replace(/\B(?=(\d{3})+$)/g, ',');

/** Ids as some reports write them: every 20th with a decimal. */
export const idText = (id: number, form: number): string => (form % 20 === 0 ? `${id}.0` : String(id));

/** VINs as people type them: a few in lower case or with a space at the end. */
export function vinText(vin: string, form: number): string {
  if (form % 50 === 0) return vin.toLowerCase();
  return form % 50 === 1 ? `${vin} ` : vin;
}

/** One line of CSV with its line end; a cell is quoted only where it has to be. */
export const csvLine = (cells: readonly string[]): string => `${cells.map(csvCell).join(',')}\n`;

const csvCell = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
