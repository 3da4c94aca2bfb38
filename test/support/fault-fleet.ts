import { csvFeed } from '../../src/connectors/csv/csv-feed.ts';
import { isUploaded } from '../../src/syncs/configured.ts';
import type { SyncDefinition, TableDefinition } from '../../src/syncs/define-sync.ts';
import { fleet } from '../../src/syncs/fleet/index.ts';
import type { CsvServer } from './csv-server.ts';
import { activityFile, FLEET_PATHS, loanLine, makeFile, partnerLine, vehicleLine } from './fleet-files.ts';

export type FleetSetting = keyof typeof FLEET_PATHS;

const PAGE_ROWS = 200;

/** The fleet with pages of 200 rows, so that a small export has several. */
export const faultFleet: SyncDefinition = { ...fleet, tables: fleet.tables.map(withSmallPages) };

function withSmallPages(table: TableDefinition): TableDefinition {
  if (isUploaded(table)) return table;
  const columns = Object.entries(table.row.shape).map(([name, schema]) => ({
    name,
    header: name,
    required: !schema.safeParse(undefined).success,
  }));
  const { setting } = table.source;
  return { ...table, source: csvFeed({ setting, table: table.name, columns, pageRows: PAGE_ROWS }) };
}

const from = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
const file = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
/** Long, because a file is parsed in blocks of 64 kB, and the first pages are to come before its end. */
const vehicle = (index: number, color = 'Black'): string =>
  vehicleLine(index, `${color} ${'metallic '.repeat(40)}`);
const vehicles = (indexes: readonly number[]): string[] => indexes.map((index) => vehicle(index));
const partners = (indexes: readonly number[]): string[] => indexes.map((index) => partnerLine(index));
const loans = (first: number, last: number, partner: number, start: string): string[] =>
  from(first, last).map((index) => loanLine(index, partner, start));

export type Night = Readonly<Record<FleetSetting, string>>;

const rest = {
  FMS_CURRENT_ACTIVITY_CSV_URL: activityFile(10),
  FMS_APPROVED_MAKES_CSV_URL: makeFile(10),
};

/** Everything appears. */
export const firstNight: Night = {
  ...rest,
  FMS_VEHICLES_CSV_URL: file(vehicles(from(1, 1500))),
  FMS_PARTNERS_CSV_URL: file(partners(from(1, 40))),
  FMS_LOAN_HISTORY_CSV_URL: file(loans(1, 10, 1, '03-02-26')),
};

/** Vehicle 3 is gone. */
export const secondNight: Night = {
  ...firstNight,
  FMS_VEHICLES_CSV_URL: file(vehicles([1, 2, ...from(4, 1500)])),
};

/**
 * Vehicle 3 is back, 1500 gone, 1501 new, 2 repainted, 4 without a make; partner 40 gone, 12 new ones; partner 2
 * gets a preferred day; an activity vanishes and one appears.
 */
export const thirdNight: Night = {
  ...rest,
  FMS_CURRENT_ACTIVITY_CSV_URL: activityFile(11).replace(/^A1,.*\n/, ''),
  FMS_VEHICLES_CSV_URL: file([
    vehicle(1),
    vehicle(2, 'Red'),
    vehicle(3),
    vehicle(4).replace('Audi', ''),
    ...vehicles(from(5, 1499)),
    vehicle(1501),
  ]),
  FMS_PARTNERS_CSV_URL: file(partners([...from(1, 39), ...from(41, 52)])),
  FMS_LOAN_HISTORY_CSV_URL: file([...loans(1, 9, 1, '03-02-26'), ...loans(11, 16, 2, '03-03-26')]),
};

/** The variables of a worker whose exports and geocoder are below one folder of the server. */
export function fleetVariables({ url }: Pick<CsvServer, 'url'>, folder: string): Record<string, string> {
  const sources = Object.entries(FLEET_PATHS).map(([setting, path]) => [setting, url + folder + path]);
  return {
    ...Object.fromEntries(sources),
    GEOCODE_QPS: '1000',
    GOOGLE_MAPS_API_KEY: 'test-key',
    GOOGLE_MAPS_BASE_URL: url + folder,
  };
}

/** The path under which a folder's geocoder is asked. */
export const geocoderPath = (folder: string): string => `${folder}/maps/api/geocode/json`;

/** Lets one folder of the server show one night, with a geocoder that finds every address. */
export function answerNight(server: CsvServer, folder: string, night: Night): void {
  for (const [setting, text] of Object.entries(night)) {
    server.answer(folder + FLEET_PATHS[setting as FleetSetting], text);
  }
  server.answer(geocoderPath(folder), (request, response) => {
    response.end(geocoderAnswer(request.url ?? ''));
  });
}

/** Coordinates made from the length of the address. */
export function geocoderAnswer(url: string): string {
  const address = new URL(url, 'http://localhost').searchParams.get('address') ?? '';
  const location = { lat: address.length, lng: -address.length };
  return JSON.stringify({ status: 'OK', results: [{ geometry: { location }, place_id: address }] });
}
