import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  type AuctionsApi,
  type CarPage,
  CARS_PER_PAGE,
  fetchCarPage,
  pause,
} from '../../connectors/auctions/fetch-car-page.ts';
import { SyncFailure } from '../../domain/failures.ts';
import type { Source, SourceContext, SourcePage } from '../../domain/source.ts';
import { part } from './loose-json.ts';
import { readAuctionCar } from './read-auction-car.ts';
import { toRow } from './to-row.ts';

const SETTING = 'AUCTIONS_API_BASE_URL';
const FULL_PAGES_MAX = 500;
/** New cars may add pages while a full run reads; more than this is a source that never ends. */
const NEW_PAGES_MIN = 5;
const NEW_PAGES_SHARE = 0.1;

/** The place of a run in the source. */
const cursorSchema = z.object({
  /** The page to read next; null behind the last one. */
  page: z.number().nullable(),
  /** How many cars the pages before have shown. */
  position: z.number(),
  /** How many pages there were at the first one. */
  pagesAtFirst: z.number().nullable(),
  /** Of the ids of the page before, to tell it from others. */
  digest: z.string(),
  incomplete: z.string().optional(),
});
type Cursor = z.infer<typeof cursorSchema>;

const START: Cursor = { page: 1, position: 0, pagesAtFirst: null, digest: '' };

/**
 * Cars of auctions and listings, newest first. A full run reads all pages, at most 500; any other the first one. A
 * later attempt goes on at the page behind the last one that was kept.
 */
export const auctions: Source = {
  setting: SETTING,
  async *fetchPages(context, cursor) {
    const { settings, full, signal } = context;
    const api = apiOf(context);
    const delayMs = Number(settings['CARS_PAGE_DELAY_MS']);
    let at = cursor === null ? START : cursorSchema.parse(JSON.parse(cursor));
    // Everything was read before, but how it ended has to be said again.
    if (at.page === null) yield { rows: [], nextCursor: cursor, incomplete: at.incomplete };
    for (let asked = 0; at.page !== null; asked += 1) {
      if (asked > 0) await pause(delayMs, signal);
      const seenAt = new Date();
      const page = await fetchCarPage(api, at.page, signal);
      const { position } = at;
      at = advance(at, page, full ? FULL_PAGES_MAX : 1);
      yield {
        rows: page.cars.map((record, index) =>
          toRow({
            source: 'auctions',
            record,
            position: position + index + 1,
            seenAt,
            read: readAuctionCar,
          }),
        ),
        nextCursor: JSON.stringify(at),
        incomplete: at.incomplete,
      } satisfies SourcePage;
    }
  },
};

function apiOf({ settings, http }: SourceContext): AuctionsApi {
  const { [SETTING]: baseUrl, AUCTIONS_API_KEY: apiKey } = settings;
  if (typeof baseUrl === 'string' && typeof apiKey === 'string') {
    return { baseUrl, apiKey, setting: SETTING, http };
  }
  throw new SyncFailure(
    'SourceNotConfigured',
    `${SETTING} and AUCTIONS_API_KEY are both needed to read cars. Set them.`,
  );
}

/**
 * Where a run is behind a page.
 *
 * @throws SyncFailure FileUnreadable when the pages would never end, SourceTruncated when one is empty before the end
 */
function advance(at: Cursor, { cars, lastPage }: CarPage, pagesMax: number): Cursor {
  const page = at.page ?? 1;
  const ids = JSON.stringify(cars.map((record) => part(record, 'id')));
  const digest = createHash('sha256').update(ids).digest('base64url');
  if (cars.length > 0 && digest === at.digest) {
    throw new SyncFailure(
      'FileUnreadable',
      `${SETTING}: page ${page} shows the same cars as page ${page - 1}, so the source does not turn its pages. Ask its support.`,
    );
  }
  const pagesAtFirst = at.pagesAtFirst ?? lastPage;
  const newPagesMax = Math.max(NEW_PAGES_MIN, pagesAtFirst * NEW_PAGES_SHARE);
  if (pagesMax > 1 && lastPage > pagesAtFirst + newPagesMax) {
    throw new SyncFailure(
      'FileUnreadable',
      `${SETTING}: there were ${pagesAtFirst} pages at first and are ${lastPage} at page ${page}: they would never end. Ask the source's support.`,
    );
  }
  const next = { position: at.position + cars.length, pagesAtFirst, digest };
  if (page >= lastPage) return { ...next, page: null };
  if (cars.length === 0) {
    throw new SyncFailure(
      'SourceTruncated',
      `${SETTING}: page ${page} of ${lastPage} has no cars. It is asked again.`,
    );
  }
  if (page < pagesMax) return { ...next, page: page + 1 };
  return { ...next, page: null, incomplete: whyIncomplete(lastPage, pagesMax) };
}

/** A run that reads the first page alone does not claim more. */
function whyIncomplete(lastPage: number, pagesMax: number): string | undefined {
  if (pagesMax === 1) return undefined;
  const cars = (pagesMax * CARS_PER_PAGE).toLocaleString('en');
  return `the source has ${lastPage} pages, of which a run reads ${pagesMax} (${cars} cars). The others are not loaded, and no car counts as missing.`;
}
