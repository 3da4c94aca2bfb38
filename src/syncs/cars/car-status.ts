import { nameOf, part } from './loose-json.ts';

/** `pending` is reserved, `archived` withdrawn or no longer shown. */
export const CAR_STATUSES = ['active', 'pending', 'sold', 'archived'] as const;
export type CarStatus = (typeof CAR_STATUSES)[number];

/** States in which a car is no longer for sale. */
export const ENDED: readonly CarStatus[] = ['sold', 'archived'];

/** What a source says in words, the strongest first: 'sold' beside 'pending' means sold. */
const WORDS: readonly (readonly [RegExp, CarStatus])[] = [
  [/(?<!not )\bsold\b/, 'sold'],
  [/\bpending\b/, 'pending'],
  [/\barchived\b/, 'archived'],
  [/\blive\b/, 'active'],
];

const SOLD = 3;
const PENDING = 2;

/** The status of one lot: in words when it says so in words, else by its number. */
export function lotStatus(lot: unknown): CarStatus {
  const status = part(lot, 'status');
  const said = [nameOf(part(lot, 'sale_status')), nameOf(status)].join(' ').toLowerCase();
  const words = said.replaceAll(/[_-]/g, ' ');
  const found = WORDS.find(([pattern]) => pattern.test(words));
  if (found) return found[1];
  switch (Number(part(status, 'id') ?? status)) {
    case SOLD:
      return 'sold';
    case PENDING:
      return 'pending';
    default:
      return 'active';
  }
}

/** The lot that speaks for a car: the first that is not sold, else the first; undefined without any. */
export const mainLot = (lots: readonly unknown[]): unknown =>
  lots.find((lot) => lotStatus(lot) !== 'sold') ?? lots[0];
