import { afterAll, beforeEach, expect, test } from 'vitest';
import { createAgent } from '../../connectors/http/create-agent.ts';
import { AUCTIONS_KEY, carRecords, startFakeAuctions } from '../../../test/support/fake-auctions.ts';
import type { SourceContext, SourcePage } from '../../domain/source.ts';
import { auctions } from './auctions.ts';

const http = createAgent();
const fake = await startFakeAuctions();
afterAll(() => http.close());

const SETTINGS = {
  AUCTIONS_API_BASE_URL: `${fake.url}/`,
  AUCTIONS_API_KEY: AUCTIONS_KEY,
  CARS_PAGE_DELAY_MS: 0,
};

beforeEach(() => {
  fake.requests.clear();
  fake.perPage = 10;
  fake.cars = carRecords(35);
});

const contextOf = (settings: object = {}, signal = new AbortController().signal): SourceContext => ({
  settings: { ...SETTINGS, ...settings },
  window: null,
  since: null,
  marks: {},
  today: '2026-11-23',
  full: true,
  http,
  signal,
});

async function pagesFrom(cursor: string | null, context = contextOf()): Promise<SourcePage[]> {
  const pages: SourcePage[] = [];
  for await (const page of auctions.fetchPages(context, cursor)) pages.push(page);
  return pages;
}

const positions = (pages: readonly SourcePage[]): number[] =>
  pages.flatMap(({ rows }) => rows.map(({ position }) => position));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

test('every page has a cursor, from which the rest can be read', async () => {
  const pages = await pagesFrom(null);
  expect(positions(pages)).toEqual(upTo(35));
  for (const [index, { nextCursor }] of pages.entries()) {
    fake.requests.clear();
    const rest = await pagesFrom(nextCursor);
    expect(positions(rest)).toEqual(upTo(35).slice((index + 1) * 10));
    expect([...fake.requests.keys()]).toEqual(upTo(4).slice(index + 1));
  }
});

test('behind the last page of a source that was not read to its end, it says so again', async () => {
  fake.perPage = 1;
  fake.cars = carRecords(501);
  const last = (await pagesFrom(null)).at(-1);
  expect(last?.incomplete).toContain('501 pages');
  expect(last?.incomplete).toContain('a run reads 500');
  expect(await pagesFrom(last?.nextCursor ?? null)).toEqual([
    { rows: [], nextCursor: last?.nextCursor, incomplete: last?.incomplete },
  ]);
});

test('it waits between two pages, and not before the first or after the last', async () => {
  fake.cars = carRecords(20);
  const start = performance.now();
  await pagesFrom(null, contextOf({ CARS_PAGE_DELAY_MS: 300 }));
  const took = performance.now() - start;
  expect(took).toBeGreaterThanOrEqual(295);
  expect(took).toBeLessThan(600);
});

test('a wait between two pages ends when the run is stopped', async () => {
  const stop = new AbortController();
  const reading = pagesFrom(null, contextOf({ CARS_PAGE_DELAY_MS: 60_000 }, stop.signal));
  setTimeout(() => stop.abort(new Error('stopped')), 100);
  await expect(reading).rejects.toThrow('stopped');
  expect([...fake.requests.keys()]).toEqual([1]);
});

test('a page without cars before the last one is asked for again later, and not taken for the end', async () => {
  fake.answer = (_request, response, page) =>
    void response.end(
      JSON.stringify({
        data: page === 2 ? [] : carRecords(10),
        meta: { current_page: page, last_page: 4 },
      }),
    );
  await expect(pagesFrom(null)).rejects.toMatchObject({ code: 'SourceTruncated' });
  fake.answer = null;
});

test('a source that has fewer pages by now ends where it ends', async () => {
  const [first] = await pagesFrom(null);
  fake.cars = carRecords(10);
  expect(positions(await pagesFrom(first?.nextCursor ?? null))).toEqual([]);
});

test('without a key nothing is asked, and the message names it', async () => {
  const reading = pagesFrom(null, contextOf({ AUCTIONS_API_KEY: undefined }));
  await expect(reading).rejects.toMatchObject({ code: 'SourceNotConfigured' });
  expect(fake.requests.size).toBe(0);
});
