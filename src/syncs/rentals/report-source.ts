import { z } from 'zod';
import type { Report, RentalsClient } from '../../connectors/rentals/rentals-client.ts';
import { SyncFailure } from '../../domain/failures.ts';
import type { Source, SourceContext, SourcePage } from '../../domain/source.ts';
import { leadFields } from './fields.ts';
import { inAnyOrder } from './in-any-order.ts';
import { KNOWN_LOCATIONS, type Location } from './locations.ts';
import { readRecord } from './read-record.ts';
import { daysToAsk } from './report-window.ts';
import { listLocations, type OpenClient } from './stores-source.ts';

export interface ReportSourceOptions {
  readonly setting: string;
  readonly report: Report;
  readonly leadType: 'bookingconfirmation' | 'return';
  readonly open: OpenClient;
}

const progressSchema = z.object({
  locations: z.array(z.object({ id: z.string(), store: z.string() })),
  /** Why the store list could not be read; null when it was. */
  listFailure: z.string().nullable(),
  done: z.array(z.string()),
  failed: z.array(z.object({ id: z.string(), reason: z.string() })),
  /** Of the last row. */
  position: z.number(),
});
/** Which locations have been asked, kept as the cursor behind every location. */
type Progress = z.infer<typeof progressSchema>;

/**
 * One report of every location, several at once; each location is a page, so a reader that dies goes on with the
 * locations that are left. One that fails is reported, and the others are read.
 *
 * @throws SyncFailure SourceRefused when no location could be read
 */
export const reportSource = (options: ReportSourceOptions): Source => ({
  setting: options.setting,
  fetchPages: (context, cursor) => fetchPages(options, context, cursor),
});

async function* fetchPages(
  { report, leadType, open }: ReportSourceOptions,
  context: SourceContext,
  cursor: string | null,
): AsyncGenerator<SourcePage, void, undefined> {
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const client = open(context);
  let progress = cursor === null ? await begin(client, signal) : progressSchema.parse(JSON.parse(cursor));
  const asked = new Set([...progress.done, ...progress.failed.map(({ id }) => id)]);
  const left = progress.locations.filter(({ id }) => !asked.has(id));
  const days = Number(context.settings['API_SYNC_INCREMENTAL_DAYS']);
  const ask = (location: Location) =>
    readLocation(location, signal, () => {
      const request = {
        ...daysToAsk(context, context.marks[location.id], days),
        locationId: location.id,
        report,
      };
      return client.fetchReport(request, signal);
    });
  try {
    for await (const answer of inAnyOrder(left, Number(context.settings['SYNC_CONCURRENCY']), ask)) {
      const { id, store } = answer.location;
      if ('reason' in answer) {
        progress = { ...progress, failed: [...progress.failed, { id, reason: answer.reason }] };
        yield { rows: [], nextCursor: JSON.stringify(progress) };
        continue;
      }
      const { position } = progress;
      const rows = answer.entries.map((entry, index) =>
        readRecord(entry, position + index + 1, (record) => ({
          ...leadFields(record),
          lead_type: leadType,
          source: 'api',
          store,
        })),
      );
      progress = { ...progress, done: [...progress.done, id], position: position + rows.length };
      yield { rows, nextCursor: JSON.stringify(progress) };
    }
  } finally {
    stop.abort();
  }
  refuseNothing(report, progress);
  // Days that were named say nothing about what lies between them and today.
  const marks = context.window ? {} : Object.fromEntries(progress.done.map((id) => [id, context.today]));
  yield { rows: [], nextCursor: null, marks, notices: noticesOf(report, progress) };
}

/** Asks for the store list; without it the known locations are still read. */
async function begin(client: RentalsClient, signal: AbortSignal): Promise<Progress> {
  const progress = { listFailure: null, done: [], failed: [], position: 0 };
  try {
    return { ...progress, locations: [...(await listLocations(client, signal))] };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof SyncFailure)) throw error;
    return { ...progress, locations: [...KNOWN_LOCATIONS], listFailure: error.message };
  }
}

type LocationAnswer =
  | { readonly location: Location; readonly entries: readonly unknown[] }
  | { readonly location: Location; readonly reason: string };

/** What goes wrong with one location is its answer. */
async function readLocation(
  location: Location,
  signal: AbortSignal,
  fetch: () => Promise<readonly unknown[]>,
): Promise<LocationAnswer> {
  try {
    return { location, entries: await fetch() };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof SyncFailure)) throw error;
    return { location, reason: error.message };
  }
}

function refuseNothing(report: Report, { done, failed, locations }: Progress): void {
  const [first] = failed;
  if (done.length > 0 || first === undefined) return;
  throw new SyncFailure('SourceRefused', `${report}: 0/${locations.length} locations read. ${first.reason}`);
}

function noticesOf(report: Report, { locations, done, failed, listFailure }: Progress): string[] {
  const errors = failed.length === 1 ? '1 error' : `${failed.length} errors`;
  const notices = [`${report}: ${done.length}/${locations.length} locations read, ${errors}.`];
  for (const { id, reason } of failed) {
    const store = locations.find((location) => location.id === id)?.store ?? '';
    notices.push(`${report}: location ${id}, ${store}, keeps its old window. ${reason}`);
  }
  if (listFailure !== null) {
    notices.push(
      `${report}: only the known locations were read, because the store list was not to be had. ${listFailure}`,
    );
  }
  return notices;
}
