import { z } from 'zod';
import type { RentalsClient } from '../../connectors/rentals/rentals-client.ts';
import type { Source, SourceContext } from '../../domain/source.ts';
import { plainValues } from './fields.ts';
import { KNOWN_LOCATIONS, type Location } from './locations.ts';
import { readRecord } from './read-record.ts';
import { storeName } from './store-name.ts';

export type OpenClient = (context: SourceContext) => RentalsClient;

/** The columns of a store that an entry of the list has. */
function storeFields(record: Readonly<Record<string, unknown>>): Record<string, string> {
  const values = plainValues(record);
  const get = (...names: readonly string[]): string =>
    names.map((name) => values.get(name) ?? '').find((text) => text.trim() !== '') ?? '';
  return {
    id: get('id', 'locationid'),
    loc_code: get('loccode', 'locationcode'),
    loc_name: get('locname', 'locationname'),
    status: get('status')
      .replace(/^true$/i, '1')
      .replace(/^false$/i, '0'),
    brand: get('brand'),
    city: get('city'),
  };
}

const ACTIVE = 1;
const listedStore = z.object({ id: z.string().trim(), loc_name: z.string(), status: z.string() });

/** The name of the store of a location. */
export const storeOfLocation = (id: string, listed: string): string =>
  KNOWN_LOCATIONS.find((known) => known.id === id)?.store ?? storeName(listed);

/** Every location there is: the known ones, and the active ones that the store list has besides. */
export async function listLocations(
  client: RentalsClient,
  signal: AbortSignal,
): Promise<readonly Location[]> {
  const entries = await client.listStores(signal);
  const listed = entries.flatMap((entry, index) => {
    const { values, unreadable } = readRecord(entry, index + 1, storeFields);
    if (unreadable !== undefined) return [];
    const { id, loc_name: name, status } = listedStore.parse(values);
    const store = storeName(name);
    return Number(status) === ACTIVE && /^\d+$/.test(id) && store !== '' ? [{ id, store }] : [];
  });
  const byId = new Map([...listed, ...KNOWN_LOCATIONS].map((location) => [location.id, location]));
  return [...byId.values()].toSorted((a, b) => Number(a.id) - Number(b.id));
}

/** The list of stores, read whole each time. */
export const storesSource = (setting: string, open: OpenClient): Source => ({
  setting,
  async *fetchPages(context) {
    const entries = await open(context).listStores(context.signal);
    yield {
      rows: entries.map((entry, index) => readRecord(entry, index + 1, storeFields)),
      nextCursor: null,
    };
  },
});
