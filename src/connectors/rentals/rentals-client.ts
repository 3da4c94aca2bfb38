import type { Dispatcher } from 'undici';
import { SyncFailure } from '../../domain/failures.ts';
import { nameSource } from '../http/name-source.ts';
import { callApi } from './call-api.ts';
import { readAnswer } from './read-answer.ts';
import type { TakeStart } from './spacing.ts';
import { tryAgain } from './try-again.ts';

/** The reports that are called. No report about goods handed out ever is. */
const REPORT_PATHS = {
  bookings: '/api/Reports/GetBookingReport',
  returns: '/api/Reports/GetReturnReport',
} as const;
const STORES_PATH = '/api/Location/LocationList';

export type Report = keyof typeof REPORT_PATHS;

/** What is asked of one report for one location. */
export interface ReportRequest {
  readonly report: Report;
  readonly locationId: string;
  /** Days, YYYY-MM-DD, both inclusive; '' for none. */
  readonly dateFrom: string;
  readonly dateTo: string;
  /** How many months back. */
  readonly months: number;
}

export interface RentalsClient {
  /** The list of stores as the API has it. @throws SyncFailure with a `Source…` code */
  listStores(signal: AbortSignal): Promise<readonly unknown[]>;
  /** The records of a report. @throws SyncFailure with a `Source…` code */
  fetchReport(request: ReportRequest, signal: AbortSignal): Promise<readonly unknown[]>;
}

export interface RentalsClientOptions {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly http: Dispatcher;
  /** Keeps the starts of calls to one report apart, tries after a failure among them. */
  readonly spacing: Readonly<Record<Report, TakeStart>>;
  readonly timeoutMs?: number;
  readonly firstWaitMs?: number;
}

/** 21 locations that all hang, five at once and three tries each, still end within a run of the usual length. */
const TIMEOUT_MS = 25_000;
const FIRST_WAIT_MS = 500;

/** The rental software's API. Every call is tried three times; reading is safe to repeat. */
export function createRentalsClient(options: RentalsClientOptions): RentalsClient {
  const { apiKey, http, spacing, timeoutMs = TIMEOUT_MS, firstWaitMs = FIRST_WAIT_MS } = options;
  const base = new URL(options.baseUrl);
  const source = nameSource('RETURN_API_BASE_URL', base);
  const common = {
    accept: 'text/plain',
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
  };
  const addressOf = (path: string): URL => {
    const url = new URL(base);
    url.pathname = url.pathname.replace(/\/$/, '') + path;
    return url;
  };
  const records = async (call: () => Promise<string>, signal: AbortSignal): Promise<readonly unknown[]> =>
    readAnswer(source, await tryAgain(call, { firstWaitMs, signal }).catch(withoutPromise));
  return {
    listStores: (signal) =>
      records(
        () =>
          callApi({
            url: addressOf(STORES_PATH),
            source,
            method: 'GET',
            headers: common,
            http,
            signal,
            timeoutMs,
          }),
        signal,
      ),
    fetchReport: ({ report, locationId, dateFrom, dateTo, months }, signal) =>
      records(async () => {
        await spacing[report](signal);
        return callApi({
          url: addressOf(REPORT_PATHS[report]),
          source,
          method: 'POST',
          headers: { ...common, 'content-type': 'application/json-patch+json' },
          body: JSON.stringify({
            bookingNo: '',
            dateFrom,
            dateTo,
            userName: '',
            months: String(months),
            fromLocation: '',
            userID: '',
            locationID: locationId,
          }),
          http,
          signal,
          timeoutMs,
        });
      }, signal),
  };
}

/** It has been tried again already, so the message must not say that it will be. */
function withoutPromise(error: unknown): never {
  if (!(error instanceof SyncFailure)) throw error;
  const message = error.message.replace(/ It is (tried|fetched|asked) again( later)?\.$/, '');
  throw new SyncFailure(error.code, message, { retryAfterMs: error.retryAfterMs, cause: error });
}
