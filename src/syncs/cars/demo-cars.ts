import { demoVin } from '../fleet/demo-vin.ts';
import { hash, pick } from '../fleet/demo-random.ts';

const SEED = 6;
const FIRST_SLOT_MS = Date.UTC(2026, 0, 1);
/** A new car appears, and the oldest one goes, each time that the sync runs. */
const SLOT_MS = 6 * 3_600_000;
const SHOWN = 400;
/** How many slots a car is on offer at least; some are never sold while they are shown. */
const OFFERED_MIN = 10;
const PENDING_SLOTS = 4;

const MAKES = [
  { make: 'Hyundai', prefix: 'KMH', models: ['Sonata', 'Tucson', 'Grandeur'] },
  { make: 'Kia', prefix: 'KNA', models: ['K5', 'Sorento', 'Carnival'] },
  { make: 'Genesis', prefix: 'KMT', models: ['G70', 'G80', 'GV80'] },
  { make: 'KG Mobility', prefix: 'KPT', models: ['Torres', 'Rexton'] },
];
const FUELS = ['gasoline', 'diesel', 'hybrid', 'electric', 'LPG'];
const COLOURS = ['white', 'black', 'grey', 'silver', 'blue'];
const BODIES = ['sedan', 'suv', 'van', 'hatchback'];
const PLACES = ['Seoul', 'Busan', 'Incheon', 'Daegu', 'Suwon'];
const MARKETS = ['encar_com', 'encar_com', 'kbchachacha_com'];

const named = (name: string) => ({ name });

/** Every car that the demo's market places show at an instant, newest first: 400, one of them new every six hours. */
export function demoCars(now: Date): Record<string, unknown>[] {
  const slot = Math.max(0, Math.floor((now.getTime() - FIRST_SLOT_MS) / SLOT_MS));
  return Array.from({ length: SHOWN }, (_, age) => demoCar(slot + SHOWN - age, age));
}

/** @param age for how many slots it has been shown */
function demoCar(id: number, age: number): Record<string, unknown> {
  const look = hash(SEED, id);
  const { make, prefix, models } = pick(MAKES, look);
  const year = 2015 + (look % 11);
  const vin = demoVin(prefix, look, year, id % 1_000_000, 0);
  return {
    id,
    year: id % 150 === 0 ? 1800 : year,
    // Some were mistyped, as in real life.
    vin: id % 40 === 0 ? vin.replace(/.$/, 'Z') : vin,
    title: `${make} ${pick(models, look >>> 3)} (demo)`,
    manufacturer: named(make),
    model: named(pick(models, look >>> 3)),
    generation: null,
    fuel: named(pick(FUELS, look >>> 5)),
    transmission: named(look % 9 === 0 ? 'manual' : 'automatic'),
    color: named(pick(COLOURS, look >>> 7)),
    body_type: named(pick(BODIES, look >>> 9)),
    drive_wheel: named(look % 3 === 0 ? 'all' : 'front'),
    engine: named(`${1 + (look % 3)}.${look % 10}L`),
    cylinders: 4,
    lots: lotsOf(id, age, look),
  };
}

function lotsOf(id: number, age: number, look: number): Record<string, unknown>[] {
  const offeredFor = OFFERED_MIN + (hash(SEED, id, 1) % (2 * SHOWN));
  // A seller takes something off the price after ten days, and again after twenty.
  const price = 6_000 + (look % 40_000) - 300 * Math.min(2, Math.floor(age / 40));
  const lot = {
    lot: `D${id}`,
    buy_now: id % 150 === 75 ? -1 : price,
    bid: 0,
    currency: 'USD',
    status: age >= offeredFor ? 3 : age >= offeredFor - PENDING_SLOTS ? 2 : 1,
    sale_status: null,
    sale_date: null,
    seller: `Demo dealer ${look % 20}`,
    odometer: { km: 5_000 + (look % 180_000), mi: null },
    images: id % 30 === 0 ? null : { normal: [`https://images.example/demo/${id}.jpg`], big: [] },
    domain: named(pick(MARKETS, look >>> 11)),
    location: named(pick(PLACES, look >>> 13)),
  };
  return id % 12 === 0 ? [{ ...lot, lot: `D${id}-old`, sale_status: 'sold' }, lot] : [lot];
}
