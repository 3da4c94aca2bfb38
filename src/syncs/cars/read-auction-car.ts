import { isValidVin } from '../../domain/vin-check-digit.ts';
import { type CarStatus, lotStatus, mainLot } from './car-status.ts';
import { list, nameOf, numberOf, part } from './loose-json.ts';

/** A car as every source of cars gives it; what a source does not say is null. */
export interface Car {
  readonly external_id: string | null;
  /** The market place that the car is shown at, such as encar. */
  readonly domain: string | null;
  readonly vin: string | null;
  /** Whether the VIN's check digit is right; null without a VIN. */
  readonly vin_valid: boolean | null;
  readonly make: string | null;
  readonly model: string | null;
  readonly generation: string | null;
  readonly title: string | null;
  readonly year: number | null;
  readonly fuel: string | null;
  readonly transmission: string | null;
  readonly color: string | null;
  readonly body_style: string | null;
  readonly drive_type: string | null;
  readonly engine: string | null;
  readonly mileage_km: number | null;
  /** In `currency`, as listed. */
  readonly listed_price: number | null;
  readonly currency: string | null;
  /** With everything that comes on top of the listed price, in the same currency. */
  readonly landed_price: number | null;
  readonly images: readonly string[];
  readonly location: string | null;
  readonly seller: string | null;
  readonly url: string | null;
  readonly status: CarStatus;
  /** Which values of the source made no sense and are null here, as sentences. */
  readonly issues: readonly string[];
}

const KM_PER_MILE = 1.609344;
/** What fees and transport add to the price of a car from an auction. */
const LANDING_COST = 2_550;
const OLDEST_YEAR = 1900;
/** New models are sold before their year. */
const YEARS_AHEAD = 2;
const PRICE_MAX = 1_000_000_000;
const MILEAGE_KM_MAX = 5_000_000;

/**
 * Reads a car of the auctions API. The main lot, the first that is not sold, decides price, status and whatever else
 * lots say. A value that makes no sense is null and named in `issues`: one bad value must not hide a car.
 *
 * @param seenAt when the source showed it
 */
export function readAuctionCar(record: unknown, seenAt: Date): Car {
  const issues: string[] = [];
  const number = (name: string, value: unknown, min: number, max: number): number | null => {
    const found = numberOf(value);
    if (found === null || (found >= min && found <= max)) return found;
    issues.push(`${name}: ${shown(value)} is not between ${min} and ${max}`);
    return null;
  };
  const named = (name: string): string | null => nameOf(part(record, name));
  const lot = mainLot(list(part(record, 'lots')));
  if (lot === undefined) issues.push('lots: there is none');
  const vin = named('vin')?.toUpperCase() ?? null;
  const price = number('buy_now', part(lot, 'buy_now'), 0, PRICE_MAX) || null;
  return {
    external_id: named('id'),
    domain: nameOf(part(lot, 'domain')),
    vin,
    vin_valid: vin === null ? null : isValidVin(vin),
    make: named('manufacturer'),
    model: named('model'),
    generation: named('generation'),
    title: named('title'),
    year: rounded(number('year', part(record, 'year'), OLDEST_YEAR, seenAt.getUTCFullYear() + YEARS_AHEAD)),
    fuel: named('fuel'),
    transmission: named('transmission'),
    color: named('color'),
    body_style: named('body_type'),
    drive_type: named('drive_wheel'),
    engine: named('engine'),
    mileage_km: rounded(number('odometer', kilometres(part(lot, 'odometer')), 0, MILEAGE_KM_MAX)),
    listed_price: price === null ? null : Math.round(price * 100) / 100,
    currency: nameOf(part(lot, 'currency')),
    landed_price: price === null ? null : Math.round(price + LANDING_COST),
    images: imagesOf(part(lot, 'images')),
    location: nameOf(part(lot, 'location')),
    seller: nameOf(part(lot, 'seller')),
    url: nameOf(part(lot, 'url')) ?? named('url'),
    status: lotStatus(lot),
    issues,
  };
}

const rounded = (value: number | null): number | null => (value === null ? null : Math.round(value));

function kilometres(odometer: unknown): unknown {
  const km = part(odometer, 'km');
  if (km !== null && km !== undefined) return km;
  const miles = numberOf(part(odometer, 'mi'));
  return miles === null ? null : miles * KM_PER_MILE;
}

function imagesOf(images: unknown): string[] {
  const [normal, big] = [list(part(images, 'normal')), list(part(images, 'big'))];
  return (normal.length > 0 ? normal : big).filter((image) => typeof image === 'string');
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
