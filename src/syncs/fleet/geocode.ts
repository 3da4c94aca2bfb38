import { sql } from 'kysely';
import { geocodeAll, type GeocodeCounts } from '../../connectors/geocoder/geocode-all.ts';
import type { GeocodeAnswer, Geocoder } from '../../connectors/geocoder/geocoder.ts';
import { createGoogleGeocoder } from '../../connectors/geocoder/google.ts';
import { createOfflineGeocoder } from '../../connectors/geocoder/offline.ts';
import type { Db } from '../../db/connect.ts';
import type { StepContext, StepDefinition } from '../define-sync.ts';

const GOOGLE_BASE_URL = 'https://maps.googleapis.com';
const REQUEST_TIMEOUT_MS = 10_000;
const ANSWER_DAYS = 30;
const ENOUGH_ANSWERS_SHARE = 0.9;
const PAGE_ADDRESSES = 10_000;

/** Its data takes 0.1 s to read, so all runs of a process share one; nothing is read before the first question. */
const offlineGeocoder = createOfflineGeocoder();

interface Answered extends GeocodeAnswer {
  readonly address: string;
}

/**
 * Coordinates for every partner with an address. Answers are kept in the cache as they come, so a repeat asks
 * only for what is missing, and an address that did not change costs nothing for 30 days; only one that the
 * geocoder refused as invalid is asked for again each time.
 */
export const geocode: StepDefinition = {
  name: 'geocode',
  after: ['media_partners'],
  async run(context) {
    const { db } = context.database;
    const geocoder = geocoderFor(context);
    const known = await applyAnswers(db, geocoder);
    const counts = await askAll(context, geocoder);
    const answered = counts.asked === 0 ? known : await applyAnswers(db, geocoder);
    return summarise(counts, known, answered);
  },
};

function askAll(context: StepContext, geocoder: Geocoder): Promise<GeocodeCounts> {
  switch (geocoder.name) {
    case 'offline':
      return askHere(context, geocoder);
    case 'google':
      return askOutside(context, geocoder);
  }
}

/** Without a pace, since nobody is asked. */
async function askHere(
  { database: { db }, signal }: StepContext,
  geocoder: Geocoder,
): Promise<GeocodeCounts> {
  const counts = { asked: 0, ok: 0, zeroResults: 0, invalid: 0, failed: 0, left: 0 };
  for await (const addresses of unansweredAddresses(db, geocoder)) {
    const answers = await Promise.all(
      addresses.map(async (address) => ({ address, ...(await geocoder.geocode(address, signal)) })),
    );
    await keepAnswers(db, geocoder, answers);
    counts.asked += answers.length;
    counts.ok += answers.filter(({ status }) => status === 'OK').length;
  }
  return { ...counts, zeroResults: counts.asked - counts.ok };
}

function askOutside(context: StepContext, geocoder: Geocoder): Promise<GeocodeCounts> {
  const { db } = context.database;
  let answered = 0;
  const keep = gatherWrites((answers: readonly Answered[]) => keepAnswers(db, geocoder, answers));
  return geocodeAll({
    addresses: eachOf(unansweredAddresses(db, geocoder)),
    geocoder,
    requestsPerSecond: Number(context.settings['GEOCODE_QPS']),
    signal: context.signal,
    onAnswer: async (address, answer) => {
      await keep({ address, ...answer });
      answered += 1;
      context.progress(`${answered} addresses answered`);
    },
  });
}

/** Writes together what has come while the write before was under way. Resolves once the item is written. */
function gatherWrites<T>(write: (items: readonly T[]) => Promise<void>): (item: T) => Promise<void> {
  let gathered: T[] = [];
  let writing = Promise.resolve();
  return (item) => {
    gathered.push(item);
    if (gathered.length > 1) return writing;
    writing = writing.then(() => {
      const items = gathered;
      gathered = [];
      return write(items);
    });
    return writing;
  };
}

async function* eachOf<T>(pages: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const page of pages) yield* page;
}

function geocoderFor({ settings, http }: StepContext): Geocoder {
  const apiKey = settings['GOOGLE_MAPS_API_KEY'];
  const baseUrl = settings['GOOGLE_MAPS_BASE_URL'];
  if (typeof apiKey !== 'string') return offlineGeocoder;
  return createGoogleGeocoder({
    apiKey,
    baseUrl: typeof baseUrl === 'string' ? baseUrl : GOOGLE_BASE_URL,
    dispatcher: http,
    timeoutMs: REQUEST_TIMEOUT_MS,
  });
}

// Both statements look answers up one by one: right after a load, PostgreSQL takes the tables for almost empty and
// would join them in quadratic time.

/** Addresses without a fresh answer, in pages by address so that answers given meanwhile skip nothing. */
async function* unansweredAddresses(db: Db, geocoder: Geocoder): AsyncGenerator<string[]> {
  for (let last = ''; ;) {
    const { rows } = await sql<{ address: string }>`
      SELECT DISTINCT p.address FROM fleet.media_partners p
      WHERE p.address > ${last} AND (
        SELECT c.status IN ('OK', 'ZERO_RESULTS') AND c.answered_at > now() - make_interval(days => ${ANSWER_DAYS})
        FROM durasync.geocode_cache c WHERE c.geocoder = ${geocoder.name} AND c.address = p.address) IS NOT TRUE
      ORDER BY p.address LIMIT ${PAGE_ADDRESSES}`.execute(db);
    const addresses = rows.map(({ address }) => address);
    if (addresses.length > 0) yield addresses;
    if (addresses.length < PAGE_ADDRESSES) return;
    last = addresses.at(-1) ?? last;
  }
}

async function keepAnswers(db: Db, geocoder: Geocoder, answers: readonly Answered[]): Promise<void> {
  await sql`
    INSERT INTO durasync.geocode_cache
      (geocoder, address, status, latitude, longitude, place_id, approximate, answered_at)
    SELECT ${geocoder.name}, a.address, a.status, a.latitude, a.longitude, a."placeId", a.approximate,
           clock_timestamp()
    FROM jsonb_to_recordset(${JSON.stringify(answers)}::jsonb) AS a(address text, status text,
         latitude double precision, longitude double precision, "placeId" text, approximate boolean)
    ON CONFLICT (geocoder, address) DO UPDATE
    SET status = excluded.status, latitude = excluded.latitude, longitude = excluded.longitude,
        place_id = excluded.place_id, approximate = excluded.approximate,
        answered_at = excluded.answered_at`.execute(db);
}

/**
 * Writes the cache's answers to the partners they are for, and takes coordinates away from partners whose
 * address has gone or changed. Touches only rows that differ. Returns how many partners have an answer.
 */
async function applyAnswers(db: Db, geocoder: Geocoder): Promise<number> {
  const answer = sql`
    SELECT k.latitude, k.longitude, k.status, k.approximate, k.answered_at FROM durasync.geocode_cache k
    WHERE k.address = p.address ORDER BY k.geocoder = ${geocoder.name} DESC, k.answered_at DESC LIMIT 1`;
  await sql`
    UPDATE fleet.media_partners p
    SET (latitude, longitude, geocode_status, geocode_approximate, geocoded_at) = (${answer})
    WHERE NOT EXISTS (
      SELECT FROM (SELECT) AS partner LEFT JOIN (${answer}) a ON true
      WHERE (p.latitude, p.longitude, p.geocode_status, p.geocode_approximate, p.geocoded_at)
            IS NOT DISTINCT FROM (a.latitude, a.longitude, a.status, a.approximate, a.answered_at))`.execute(
    db,
  );
  const { rows } = await sql<{ answered: number }>`
    SELECT count(geocode_status) AS answered FROM fleet.media_partners`.execute(db);
  return rows[0]?.answered ?? 0;
}

function summarise(counts: GeocodeCounts, known: number, answered: number) {
  const { asked, ok, zeroResults, failed, left, stoppedBy, firstFailure } = counts;
  const enough = asked === 0 || ok / asked >= ENOUGH_ANSWERS_SHARE;
  const parts = [
    `${answered} partners have an answer (${known} before)`,
    `${asked} addresses asked, ${ok} found`,
  ];
  if (zeroResults > 0) parts.push(`${zeroResults} unknown to the geocoder`);
  if (failed > 0) parts.push(`${failed} failed: ${firstFailure}`);
  if (left > 0) parts.push(`${left} left for the next run: ${stoppedBy}`);
  return {
    success: stoppedBy === undefined,
    summary: parts.join('; '),
    counts: { asked, ok, zeroResults, invalid: counts.invalid, failed, left },
    notices:
      enough && !stoppedBy
        ? []
        : [`geocode: only ${ok} of ${asked} addresses were found. ${stoppedBy ?? ''}`.trim()],
  };
}
