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
const PAGE_ADDRESSES = 1_000;

/**
 * Coordinates for every partner with an address. Each answer is kept in the cache as it comes, so a repeat asks
 * only for what is missing, and an address that did not change costs nothing for 30 days.
 */
export const geocode: StepDefinition = {
  name: 'geocode',
  after: ['media_partners'],
  async run(context) {
    const { database, settings, signal } = context;
    const { db } = database;
    const geocoder = geocoderFor(context);
    const known = await applyAnswers(db, geocoder);
    let answered = 0;
    const counts = await geocodeAll({
      addresses: unansweredAddresses(db, geocoder),
      geocoder,
      requestsPerSecond: Number(settings['GEOCODE_QPS']),
      signal,
      onAnswer: async (address, answer) => {
        await keepAnswer(db, geocoder, address, answer);
        answered += 1;
        context.progress(`${answered} addresses answered`);
      },
    });
    const found = await applyAnswers(db, geocoder);
    return summarise(counts, known, found);
  },
};

function geocoderFor({ settings, http }: StepContext): Geocoder {
  const apiKey = settings['GOOGLE_MAPS_API_KEY'];
  if (apiKey === undefined) return createOfflineGeocoder();
  return createGoogleGeocoder({
    apiKey: String(apiKey),
    baseUrl: String(settings['GOOGLE_MAPS_BASE_URL'] ?? GOOGLE_BASE_URL),
    dispatcher: http,
    timeoutMs: REQUEST_TIMEOUT_MS,
  });
}

/** Addresses without a fresh answer, in pages by address so that answers given meanwhile skip nothing. */
async function* unansweredAddresses(db: Db, geocoder: Geocoder): AsyncGenerator<string> {
  for (let last = ''; ;) {
    const { rows } = await sql<{ address: string }>`
      SELECT DISTINCT p.address FROM fleet.media_partners p
      WHERE p.address > ${last} AND NOT EXISTS (
        SELECT 1 FROM durasync.geocode_cache c WHERE c.geocoder = ${geocoder.name} AND c.address = p.address
          AND c.answered_at > now() - make_interval(days => ${ANSWER_DAYS}))
      ORDER BY p.address LIMIT ${PAGE_ADDRESSES}`.execute(db);
    for (const { address } of rows) yield address;
    const final = rows.at(-1);
    if (!final) return;
    last = final.address;
  }
}

async function keepAnswer(db: Db, geocoder: Geocoder, address: string, answer: GeocodeAnswer): Promise<void> {
  const values = {
    status: answer.status,
    latitude: answer.latitude,
    longitude: answer.longitude,
    place_id: answer.placeId,
    approximate: answer.approximate,
    answered_at: sql<Date>`clock_timestamp()`,
  };
  await db
    .insertInto('durasync.geocode_cache')
    .values({ geocoder: geocoder.name, address, ...values })
    .onConflict((conflict) => conflict.columns(['geocoder', 'address']).doUpdateSet(values))
    .execute();
}

/**
 * Writes the cache's answers to the partners they are for, and takes coordinates away from partners whose
 * address has gone or changed. Touches only rows that differ. Returns how many partners have an answer.
 */
async function applyAnswers(db: Db, geocoder: Geocoder): Promise<number> {
  await sql`
    UPDATE fleet.media_partners p
    SET latitude = a.latitude, longitude = a.longitude, geocode_status = a.status,
        geocode_approximate = a.approximate, geocoded_at = a.answered_at
    FROM (SELECT m.person_id, c.latitude, c.longitude, c.status, c.approximate, c.answered_at
          FROM fleet.media_partners m
          LEFT JOIN durasync.geocode_cache c ON c.geocoder = ${geocoder.name} AND c.address = m.address) a
    WHERE a.person_id = p.person_id
      AND (p.latitude, p.longitude, p.geocode_status, p.geocode_approximate, p.geocoded_at)
          IS DISTINCT FROM (a.latitude, a.longitude, a.status, a.approximate, a.answered_at)`.execute(db);
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
