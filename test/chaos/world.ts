import type { FakeAuctions } from '../support/fake-auctions.ts';
import { AUCTIONS_KEY, carRecord } from '../support/fake-auctions.ts';
import type { CsvServer } from '../support/csv-server.ts';
import { booking, type FakeRentals, returned } from '../support/fake-rentals.ts';
import { emptyShop, type FakeShopify } from '../support/fake-shopify.ts';
import { fakeCustomer, fakeOrder, fakeProduct } from '../support/fake-shopify-records.ts';
import { type FakeSales, type Sale, sale, SALES_KEY } from '../support/fake-sales.ts';
import { geocoderAnswer } from '../support/fault-fleet.ts';
import {
  activityFile,
  FLEET_PATHS,
  loanLine,
  makeFile,
  partnerLine,
  vehicleLine,
} from '../support/fleet-files.ts';
import type { Random } from './random.ts';

export const SYNCS = ['fleet', 'rentals', 'cars', 'commerce', 'sales'] as const;
export type SyncName = (typeof SYNCS)[number];
export const CLIENTS = ['ahead', 'behind'] as const;
/** The clocks of the shops are wrong by this, within the overlap of five minutes that reading goes back. */
const SKEW_MS: Readonly<Record<(typeof CLIENTS)[number], number>> = { ahead: 240_000, behind: -240_000 };
export const domainOf = (client: string): string => `${client}.myshopify.com`;

export interface Sources {
  readonly exports: CsvServer;
  readonly rentals: FakeRentals;
  readonly auctions: FakeAuctions;
  readonly shopify: FakeShopify;
  readonly sales: FakeSales;
}

/** What the sources have to show, and how it changes. */
export interface World {
  /** Changes what a sync's source shows. */
  evolve(sync: SyncName): void;
  /** The keys and one telling column of every live table, as the sources say. */
  expected(): Readonly<Record<string, readonly string[]>>;
}

const LOCATIONS = [1, 3, 6] as const;
const VEHICLES = 500;
const CARS = 110;
/** The sales are of these last complete days. */
const SALES_DAYS = 3;
/** A campaign that lasts over midnight still reads all of them. */
export const SALES_DAYS_READ = SALES_DAYS + 2;

/** The sources' variables for a worker that asks them at these addresses. */
export function variablesOf(urlOf: (source: string) => string): Record<string, string> {
  const fleet = Object.entries(FLEET_PATHS).map(([setting, path]) => [setting, urlOf('exports') + path]);
  return {
    ...Object.fromEntries(fleet),
    GEOCODE_QPS: '1000',
    GOOGLE_MAPS_API_KEY: 'test-key',
    GOOGLE_MAPS_BASE_URL: urlOf('exports'),
    RETURN_API_BASE_URL: urlOf('rentals'),
    RETURN_API_KEY: 'rental-s3cret',
    AUCTIONS_API_BASE_URL: urlOf('auctions'),
    AUCTIONS_API_KEY: AUCTIONS_KEY,
    CARS_PAGE_DELAY_MS: '50',
    SHOPIFY_BASE_URL: urlOf('shopify'),
    COMMERCE_LOOKBACK_DAYS: '30',
    SALES_API_URL: `${urlOf('sales')}/api/sales`,
    SALES_API_KEY: SALES_KEY,
  };
}

export function createWorld(
  random: Random,
  { exports, rentals, auctions, shopify, sales: salesApi }: Sources,
): World {
  const vehicles = new Map(numbers(VEHICLES).map((index) => [index, 'Black']));
  const partners = new Set(numbers(40));
  let loans = 20;
  const reports = { bookings: new Map<number, number>(), returns: new Map<number, number>() };
  for (const location of LOCATIONS) {
    reports.bookings.set(location, 10);
    reports.returns.set(location, 5);
  }
  const cars = new Map(numbers(CARS).map((id) => [id, 10_000 + id]));
  for (const client of CLIENTS) {
    const orders = [fakeOrder(1), fakeOrder(2)];
    shopify.shops.set(
      domainOf(client),
      emptyShop({ orders, products: numbers(5).map((n) => fakeProduct(n)), customers: [fakeCustomer(1)] }),
    );
  }
  const days = numbers(SALES_DAYS).map((ago) => dayAgo(ago));
  const sold = days.flatMap((day) => numbers(30).map((number): Sale => sale(day, number)));
  exports.answer('/maps/api/geocode/json', (request, response) => {
    response.end(geocoderAnswer(request.url ?? ''));
  });
  show();

  function show(): void {
    const lines = (of: readonly string[]): string => of.map((line) => `${line}\n`).join('');
    exports.answer(
      FLEET_PATHS.FMS_VEHICLES_CSV_URL,
      lines([...vehicles].map(([index, color]) => vehicleLine(index, color))),
    );
    exports.answer(FLEET_PATHS.FMS_PARTNERS_CSV_URL, lines([...partners].map((index) => partnerLine(index))));
    exports.answer(
      FLEET_PATHS.FMS_LOAN_HISTORY_CSV_URL,
      lines(numbers(loans).map((index) => loanLine(index))),
    );
    exports.answer(FLEET_PATHS.FMS_CURRENT_ACTIVITY_CSV_URL, activityFile(10));
    exports.answer(FLEET_PATHS.FMS_APPROVED_MAKES_CSV_URL, makeFile(10));
    for (const location of LOCATIONS) {
      const rows = (count = 0) => numbers(count).map((index) => location * 10_000 + index);
      const bookings = rows(reports.bookings.get(location)).map((number) => booking(number));
      const returns = rows(reports.returns.get(location)).map((number) => returned(number));
      rentals.answer('bookings', location, { dataSet: { data: bookings } });
      rentals.answer('returns', location, { dataSet: { data: returns } });
    }
    auctions.cars = [...cars].map(([id, price]) => carRecord(id, { buy_now: price })).reverse();
    salesApi.sales = [...sold];
  }

  function evolveFleet(): void {
    const known = [...vehicles.keys()];
    for (let count = random.whole(1, 5); count > 0; count -= 1) {
      vehicles.set(random.pick(known), random.pick(['Red', 'Blue', 'Green', 'White']));
    }
    for (let count = random.whole(0, 3); count > 0; count -= 1) vehicles.delete(random.pick(known));
    for (let count = random.whole(0, 3); count > 0; count -= 1) {
      vehicles.set(random.whole(1, VEHICLES + 200), 'Black');
    }
    const partner = random.whole(2, 50);
    if (partners.has(partner) && partners.size > 35) partners.delete(partner);
    else partners.add(partner);
    loans += random.whole(0, 2);
  }

  function evolveShops(): void {
    for (const client of CLIENTS) {
      const shop = shopify.shops.get(domainOf(client));
      if (!shop) continue;
      const updatedAt = new Date(Date.now() + SKEW_MS[client]).toISOString().replace(/\.\d+/, '');
      shop.orders.push(fakeOrder(shop.orders.length + 1, 1, { updatedAt }));
      const changed = random.whole(1, shop.orders.length) - 1;
      shop.orders[changed] = fakeOrder(changed + 1, 1, { updatedAt, tags: [`at ${updatedAt}`] });
    }
  }

  /** Sales are made, some as others were before; now and then one is withdrawn. */
  function evolveSales(): void {
    for (let count = random.whole(1, 3); count > 0; count -= 1) {
      sold.push(sale(random.pick(days), random.whole(1, 60)));
    }
    if (random.next() < 0.3) sold.splice(random.whole(1, sold.length) - 1, 1);
  }

  return {
    evolve: (sync) => {
      if (sync === 'fleet') evolveFleet();
      else if (sync === 'commerce') evolveShops();
      else if (sync === 'sales') evolveSales();
      else if (sync === 'rentals') {
        const report = random.pick(['bookings', 'returns'] as const);
        const location = random.pick(LOCATIONS);
        reports[report].set(location, (reports[report].get(location) ?? 0) + random.whole(1, 4));
      } else {
        for (let count = random.whole(1, 4); count > 0; count -= 1) {
          cars.set(random.pick([...cars.keys()]), random.whole(5_000, 20_000));
        }
        if (random.next() < 0.5) cars.delete(random.pick([...cars.keys()]));
        cars.set(Math.max(...cars.keys()) + 1, 9_000);
      }
      show();
    },
    expected: () => ({
      vehicles: [...vehicles].map(([index, color]) => `VIN${String(index).padStart(4, '0')} ${color}`),
      media_partners: [...partners].map((index) => `${index} ${index} Main St, Los Angeles, CA 90012`),
      loan_history: numbers(loans).map((index) => `L${index}`),
      current_activity: numbers(10).map((index) => `A${index}`),
      approved_makes: numbers(10).map((index) => `${index} Audi A+`),
      bookings: leadsOf(reports.bookings),
      returns: leadsOf(reports.returns),
      cars: [...cars].map(([id, price]) => `${id} ${price}`),
      orders: CLIENTS.flatMap((client) =>
        (shopify.shops.get(domainOf(client))?.orders ?? []).map(
          ({ id, tags }) => `${client} ${numberOf(id)} ${(tags as string[]).join()}`,
        ),
      ),
      products: CLIENTS.flatMap((client) =>
        (shopify.shops.get(domainOf(client))?.products ?? []).map(({ id }) => `${client} ${numberOf(id)}`),
      ),
      customers: CLIENTS.map((client) => `${client} 1`),
      sales: counted(sold.map(({ date, user_id: user }) => `${date} ${user}`)),
    }),
  };
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

const dayAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

/** Equal texts told apart by their number. */
function counted(texts: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return texts.map((text) => {
    const ordinal = (seen.get(text) ?? 0) + 1;
    seen.set(text, ordinal);
    return `${text} ${ordinal}`;
  });
}

const numberOf = (id: string): string => id.slice(id.lastIndexOf('/') + 1);

const leadsOf = (report: ReadonlyMap<number, number>): string[] =>
  [...report].flatMap(([location, count]) => numbers(count).map((index) => `BK${location * 10_000 + index}`));
