import type { ColumnTexts } from '../define-sync.ts';

const QUANTITY_DECIMALS = 3;
const PRICE_DECIMALS = 4;
const CENT_DECIMALS = 2;
/** A product of quantity and price has this many decimals more than one of cents. */
const PER_CENT = 10 ** (QUANTITY_DECIMALS + PRICE_DECIMALS - CENT_DECIMALS);
const GOOD: readonly string[] = [];

/** What is wrong with a sale as a whole: a day that has not come, a total that is not quantity × price. */
export function checkSale(row: ColumnTexts, today: string): readonly string[] {
  const { date, quantity, unit_price: price, total_amount: total } = row as Readonly<Record<string, string>>;
  const isFuture = date !== undefined && date > today;
  const fits = isProduct(quantity ?? '', price ?? '', total ?? '');
  if (!isFuture && fits) return GOOD;
  return [
    ...(isFuture ? [`date: ${date} is in the future`] : []),
    ...(fits ? [] : [`total_amount: ${total} is not quantity × unit_price, ${quantity} × ${price}`]),
  ];
}

/** Whether a total is a product, rounded to the cent; half a cent may go either way. Exact. */
function isProduct(quantity: string, price: string, total: string): boolean {
  const [many, each, cents] = [
    scaled(quantity, QUANTITY_DECIMALS),
    scaled(price, PRICE_DECIMALS),
    scaled(total, CENT_DECIMALS),
  ];
  const product = many * each;
  if (Number.isSafeInteger(product) && Number.isSafeInteger(cents * PER_CENT)) {
    return Math.abs(product - cents * PER_CENT) * 2 <= PER_CENT;
  }
  const off =
    exact(quantity, QUANTITY_DECIMALS) * exact(price, PRICE_DECIMALS) -
    exact(total, CENT_DECIMALS) * BigInt(PER_CENT);
  return (off < 0n ? -off : off) * 2n <= BigInt(PER_CENT);
}

/** A decimal as a whole number of its smallest parts; exact as long as that is a safe integer. */
const scaled = (text: string, decimals: number): number => Math.round(Number(text) * 10 ** decimals);

function exact(text: string, decimals: number): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(decimals, '0'));
}
