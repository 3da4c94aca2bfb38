import { request } from 'undici';
import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { SyncFailure } from '../../domain/failures.ts';
import { withoutLocation } from './geocoder.ts';
import type { GeocodeAnswer, Geocoder } from './geocoder.ts';

export interface GoogleGeocoderOptions {
  readonly apiKey: string;
  /** Scheme and host, with or without a path before `/maps`; `https://maps.googleapis.com` is the real one. */
  readonly baseUrl: string;
  readonly dispatcher: Dispatcher;
  /** How long one request may take from its start to the last byte of its answer. */
  readonly timeoutMs: number;
}

/** The parts of an answer that we use: https://developers.google.com/maps/documentation/geocoding */
const googleAnswer = z.object({
  status: z.enum([
    'OK',
    'ZERO_RESULTS',
    'OVER_QUERY_LIMIT',
    'OVER_DAILY_LIMIT',
    'REQUEST_DENIED',
    'INVALID_REQUEST',
    'UNKNOWN_ERROR',
  ]),
  error_message: z.string().optional(),
  results: z
    .array(
      z.object({
        geometry: z.object({
          location: z.object({ lat: z.number().min(-90).max(90), lng: z.number().min(-180).max(180) }),
          location_type: z.string().optional(),
        }),
        place_id: z.string().optional(),
        partial_match: z.boolean().optional(),
      }),
    )
    .default([]),
});
type GoogleAnswer = z.infer<typeof googleAnswer>;

/**
 * The Google Geocoding API, one request for each address, biased to the United States.
 *
 * `SourceThrottled` asked too fast; `SourceUnavailable` no or no readable answer; `SourceRefused` the quota
 * of the day is used up; `SourceUnauthorized` the key is refused. No message or cause holds the key.
 */
export function createGoogleGeocoder(options: GoogleGeocoderOptions): Geocoder {
  const endpoint = `${options.baseUrl.replace(/\/+$/, '')}/maps/api/geocode/json`;
  const where = `the geocoder at ${new URL(endpoint).origin} (GOOGLE_MAPS_BASE_URL)`;

  return {
    name: 'google',
    async geocode(address, signal) {
      const query = new URLSearchParams({ address, region: 'us', key: options.apiKey });
      const { statusCode, headers, text } = await fetchAnswer(`${endpoint}?${query.toString()}`, signal);
      const answer = parseAnswer(text);
      // Errors arrive under HTTP 200 with a status of their own, so what the body says comes first.
      if (answer !== null) return readAnswer(answer);
      return readHttpStatus(statusCode, headers['retry-after']);
    },
  };

  async function fetchAnswer(url: string, signal: AbortSignal) {
    try {
      const response = await request(url, {
        dispatcher: options.dispatcher,
        signal: AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]),
      });
      const text = await response.body.text();
      return { statusCode: response.statusCode, headers: response.headers, text };
    } catch (error) {
      signal.throwIfAborted();
      throw new SyncFailure('SourceUnavailable', `No answer from ${where}: ${networkReason(error)}.`, {
        cause: error,
      });
    }
  }

  function readAnswer(answer: GoogleAnswer): GeocodeAnswer {
    const said = (answer.error_message ?? 'no reason given').replaceAll(options.apiKey, '(key)');
    switch (answer.status) {
      case 'OK': {
        const [best] = answer.results;
        if (best === undefined) {
          throw new SyncFailure('SourceUnavailable', `OK without a result from ${where}.`);
        }
        return {
          status: 'OK',
          latitude: best.geometry.location.lat,
          longitude: best.geometry.location.lng,
          placeId: best.place_id ?? null,
          approximate: best.geometry.location_type === 'APPROXIMATE' || best.partial_match === true,
        };
      }
      case 'ZERO_RESULTS':
      case 'INVALID_REQUEST':
        return withoutLocation(answer.status);
      case 'OVER_QUERY_LIMIT':
        if (/daily request quota/i.test(said)) throw quotaUsedUp(said);
        throw new SyncFailure(
          'SourceThrottled',
          `Asked ${where} too fast: lower GEOCODE_QPS. It says: ${said}`,
        );
      case 'OVER_DAILY_LIMIT':
        throw quotaUsedUp(said);
      case 'REQUEST_DENIED':
        throw keyRefused(said);
      case 'UNKNOWN_ERROR':
        throw new SyncFailure('SourceUnavailable', `A passing error of ${where}. It says: ${said}`);
      default:
        return answer.status satisfies never;
    }
  }

  function readHttpStatus(status: number, retryAfter: string | string[] | undefined): GeocodeAnswer {
    if (status === 429) {
      throw new SyncFailure('SourceThrottled', `Asked ${where} too fast (HTTP 429): lower GEOCODE_QPS.`, {
        retryAfterMs: retryAfterMs(retryAfter),
      });
    }
    if (status === 401 || status === 403) throw keyRefused(`HTTP ${status}`);
    // Too long or malformed: that is about this one address.
    if (status === 400 || status === 414) return withoutLocation('INVALID_REQUEST');
    if (status === 408 || status >= 500 || status < 300) {
      throw new SyncFailure('SourceUnavailable', `HTTP ${status} without a readable answer from ${where}.`);
    }
    throw new SyncFailure('SourceRefused', `HTTP ${status} from ${where}: check GOOGLE_MAPS_BASE_URL.`);
  }

  function quotaUsedUp(said: string): SyncFailure {
    return new SyncFailure(
      'SourceRefused',
      `The daily quota at ${where} is used up or not paid for: raise it, or wait for tomorrow. It says: ${said}`,
    );
  }

  function keyRefused(said: string): SyncFailure {
    return new SyncFailure(
      'SourceUnauthorized',
      `GOOGLE_MAPS_API_KEY is refused by ${where}: check the key and that it may use the Geocoding API. It says: ${said}`,
    );
  }
}

/** Null when the text is not an answer of this API, such as a proxy's HTML page. */
function parseAnswer(text: string): GoogleAnswer | null {
  try {
    return googleAnswer.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown network error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** Only the form in seconds; a date is as good as no advice here. */
function retryAfterMs(header: string | string[] | undefined): number | undefined {
  const seconds = Number(typeof header === 'string' ? header : undefined);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}
