import { ReadableStream } from 'node:stream/web';
import type { Hono } from 'hono';
import { fleetExport } from './demo-data.ts';
import { FIRST_NIGHT_MS } from './demo-format.ts';
import type { FleetFeed } from './demo-world.ts';

const MS_PER_DAY = 86_400_000;
const CHUNK_CHARACTERS = 64 * 1024;

const REPORTS: readonly { readonly setting: string; readonly feed: FleetFeed; readonly path: string }[] = [
  { setting: 'FMS_VEHICLES_CSV_URL', feed: 'vehicles', path: '/fms/active_vehicles.rpt' },
  { setting: 'FMS_PARTNERS_CSV_URL', feed: 'media_partners', path: '/fms/media_partners.rpt' },
  { setting: 'FMS_LOAN_HISTORY_CSV_URL', feed: 'loan_history', path: '/fms/loan_history.rpt' },
  {
    setting: 'FMS_CURRENT_ACTIVITY_CSV_URL',
    feed: 'current_activity',
    path: '/fms/current_vehicle_activity.rpt',
  },
  { setting: 'FMS_APPROVED_MAKES_CSV_URL', feed: 'approved_makes', path: '/fms/approved_makes.rpt' },
  { setting: 'FMS_BUDGET_SPENDING_CSV_URL', feed: 'budget_spending', path: '/fms/budget_spending.rpt' },
];

/** The six FMS reports of the demo: without a header row like the real ones, and a little different every day. */
export const fleetDemo = {
  /** The variables that point the fleet sync at the demo source server. */
  settings: (baseUrl: string): Record<string, string> =>
    Object.fromEntries(REPORTS.map(({ setting, path }) => [setting, baseUrl + path])),

  mount(app: Hono, now: () => Date): void {
    for (const { feed, path } of REPORTS) {
      app.get(path, (context) => {
        const body = ReadableStream.from(chunks(fleetExport(feed, { night: nightOf(now()) })));
        return context.body(body as globalThis.ReadableStream, 200, {
          'content-type': 'text/csv; charset=utf-8',
        });
      });
    }
  },
};

/** Changes at midnight UTC. */
const nightOf = (now: Date): number => Math.max(0, Math.floor((now.getTime() - FIRST_NIGHT_MS) / MS_PER_DAY));

/** Joins lines, so that an export goes out in a few dozen writes and not in thousands. */
async function* chunks(lines: Iterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let text = '';
  for (const line of lines) {
    text += line;
    if (text.length < CHUNK_CHARACTERS) continue;
    yield encoder.encode(text);
    text = '';
  }
  if (text !== '') yield encoder.encode(text);
}
