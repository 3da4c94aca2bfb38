/** How people read numbers, times and names. */

const numbers = new Intl.NumberFormat('en');
export const count = (value: number): string => numbers.format(value);

export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** '4.2 MB'. */
export function bytes(size: number): string {
  const steps = ['B', 'kB', 'MB', 'GB', 'TB'];
  const step = Math.min(steps.length - 1, Math.floor(Math.log10(Math.max(1, size)) / 3));
  return `${(size / 1000 ** step).toFixed(step > 1 ? 1 : 0)} ${steps[step]}`;
}

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** '0.8 s', '42 s', '3 min 12 s', '2 h', '3 d 4 h'. */
export function duration(seconds: number | null): string {
  if (seconds === null) return '';
  if (seconds < 10 && seconds !== 0) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return parts(whole, [MINUTE, 'min'], [1, 's']);
  if (whole < DAY) return parts(whole, [HOUR, 'h'], [MINUTE, 'min']);
  return parts(whole, [DAY, 'd'], [HOUR, 'h']);
}

type Unit = readonly [seconds: number, name: string];

function parts(seconds: number, [big, bigName]: Unit, [small, smallName]: Unit): string {
  const rest = Math.floor((seconds % big) / small);
  const first = `${Math.floor(seconds / big)} ${bigName}`;
  return rest === 0 ? first : `${first} ${rest} ${smallName}`;
}

const moments = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' });
/** 'Nov 27, 2026, 02:00', in the zone of who looks. */
export const moment = (instant: string): string => moments.format(new Date(instant));

/** 'just now', '3 min ago', 'in 2 h', '5 d ago'. */
export function fromNow(instant: string, now: number): string {
  const seconds = (Date.parse(instant) - now) / 1000;
  const size = Math.abs(seconds);
  if (size < 45) return seconds > 5 ? 'in a moment' : 'just now';
  const text = about(size);
  return seconds > 0 ? `in ${text}` : `${text} ago`;
}

function about(seconds: number): string {
  if (seconds < 55 * MINUTE) return `${Math.round(seconds / MINUTE)} min`;
  if (seconds < 36 * HOUR) return `${Math.round(seconds / HOUR)} h`;
  return `${Math.round(seconds / DAY)} d`;
}

/** 'completed with errors'. */
export const words = (name: string): string => name.replaceAll('_', ' ');

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Enough of an id to tell it from others. */
export const shortId = (id: string): string => id.slice(0, 8);

/** 'a shop' of 'token:a shop', for people. */
export const who = (actor: string | null): string => actor?.replace(/^(token|cli|api):/, '') ?? '';

/** A value of a row as text; text is cut where it gets long. */
export function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '–';
  const text = typeof cell === 'string' ? cell : JSON.stringify(cell);
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
