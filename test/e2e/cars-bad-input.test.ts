import type { ServerResponse } from 'node:http';
import { beforeEach, describe, expect, test } from 'vitest';
import { carRecord, carRecords, pageOf, sendPage } from '../support/fake-auctions.ts';
import { startCarsHarness } from '../support/cars-harness.ts';
import { tableOf } from '../support/sync-harness.ts';

const { auctions, run, rows, logOf } = await startCarsHarness();

beforeEach(async () => {
  auctions.answer = null;
  auctions.requests.clear();
  await rows(`TRUNCATE cars, cars_archive`);
  auctions.cars = carRecords(60);
});

/** Lets every answer of the source be the same. */
const always = (answer: (response: ServerResponse) => void): void => {
  auctions.answer = (_request, response) => answer(response);
};
const liveCars = (): Promise<Record<string, unknown>[]> =>
  rows(`SELECT to_jsonb(c) AS car FROM cars c ORDER BY external_id`);

describe('a source of cars that fails touches no car', () => {
  test.each([
    ['403', (response: ServerResponse) => void response.writeHead(403).end(), 'answered 403', 1],
    ['407', (response: ServerResponse) => void response.writeHead(407).end(), 'answered 407', 1],
    [
      'a login page',
      (response: ServerResponse) =>
        void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in</html>'),
      'a web page in place of cars',
      1,
    ],
    ['{status:false}', (response: ServerResponse) => sendPage(response, { status: false }), 'data: ', 1],
    [
      'null data',
      (response: ServerResponse) =>
        sendPage(response, { data: null, meta: { current_page: 1, last_page: 2 } }),
      'data: ',
      1,
    ],
    [
      'an answer of 50 MB',
      (response: ServerResponse) =>
        void response.end(`{"data":["${'x'.repeat(50 * 1024 * 1024)}"],"meta":{}}`),
      'more than 16 MB',
      1,
    ],
    [
      'the first page for ever',
      (response: ServerResponse) =>
        sendPage(response, { data: [carRecord(1)], meta: { current_page: 1, last_page: 9 } }),
      'does not turn its pages',
      2,
    ],
  ])('%s', async (_name, answer, message, requests) => {
    await run({ full: true });
    const before = await liveCars();
    auctions.requests.clear();
    always(answer);
    const result = await run({ full: true });
    expect(result.status).toBe('failed');
    expect(tableOf(result, 'cars').error).toContain(message);
    expect([...auctions.requests.values()].reduce((sum, each) => sum + each, 0)).toBe(requests);
    expect(await liveCars()).toEqual(before);
    expect(await logOf(result.run_id)).toMatchObject({ status: 'failed' });
  });

  test('pages that show the same cars under other numbers', async () => {
    auctions.answer = (_request, response, page) =>
      sendPage(response, { data: [carRecord(1)], meta: { current_page: page, last_page: 9 } });
    const result = await run({ full: true });
    expect(tableOf(result, 'cars').error).toContain('page 2 shows the same cars as page 1');
  });

  test('page numbers that never end', async () => {
    auctions.answer = (_request, response, page) =>
      sendPage(response, { data: [carRecord(page)], meta: { current_page: page, last_page: page + 1 } });
    const result = await run({ full: true });
    expect(result.status).toBe('failed');
    expect(tableOf(result, 'cars').error).toContain('they would never end');
    expect(auctions.requests.size).toBeLessThan(20);
  });

  test('no key', async () => {
    auctions.answer = (_request, response) => void response.writeHead(401).end('{}');
    expect(tableOf(await run(), 'cars').error).toContain('Check AUCTIONS_API_KEY');
  });
});

describe('a source of cars that shows odd things', () => {
  test('no cars at all: a full run is held, the first page alone completes', async () => {
    await run({ full: true });
    auctions.cars = [];
    const full = await run({ full: true });
    expect(full.status).toBe('held');
    expect(full.error_message).toContain('shows 0 rows, but 60 are live');
    expect(await run()).toMatchObject({ status: 'completed', total_rows_processed: 0 });
    expect(await rows(`SELECT DISTINCT status FROM cars`)).toEqual([{ status: 'active' }]);
  });

  test('more than 500 pages: what was read is loaded, and no car counts as missing', async () => {
    auctions.cars = [carRecord(9_999)];
    await run();
    auctions.perPage = 1;
    auctions.cars = carRecords(503);
    const result = await run({ full: true });
    auctions.perPage = 50;
    expect(result).toMatchObject({ status: 'completed', total_rows_processed: 500 });
    expect(result.notices).toEqual(
      expect.arrayContaining([expect.stringContaining('the source has 503 pages, of which a run reads 500')]),
    );
    expect(await rows(`SELECT status, count(*) FROM cars GROUP BY 1`)).toEqual([
      { status: 'active', count: 501 },
    ]);
  });

  test('bad cars cost themselves and say why', async () => {
    auctions.cars = [...carRecords(48), carRecord(49, {}, { id: null }), null];
    const result = await run();
    expect(result.status).toBe('completed');
    expect(tableOf(result, 'cars')).toMatchObject({ inserted: 48, quarantined: 2 });
    const quarantined = await rows(
      `SELECT position, reasons, unreadable FROM quarantined_rows WHERE run_id = '${result.run_id}' ORDER BY position`,
    );
    expect(quarantined).toEqual([
      { position: 49, reasons: ['external_id: the car has no id'], unreadable: false },
      { position: 50, reasons: ['it is not a car'], unreadable: true },
    ]);
  });

  test('an array of nulls is held', async () => {
    auctions.cars = Array.from({ length: 50 }, () => null);
    const result = await run();
    expect(result.status).toBe('held');
    expect(result.error_message).toContain('50 of 50 rows (100 %) are quarantined');
  });

  test('a car with odd values is kept, with the odd ones empty and named', async () => {
    auctions.cars = [
      carRecord(1, { buy_now: -1 }, { year: 1800, vin: '1M8GDM9A1KP042788' }),
      carRecord(2, { images: null }),
      carRecord(3, {}, { lots: [] }),
      carRecord(4, {}, { lots: null }),
      carRecord(5, { seller: 'a \u0000 b' }),
      ...carRecords(50).slice(5),
    ];
    const result = await run();
    expect(tableOf(result, 'cars')).toMatchObject({ inserted: 49, quarantined: 1 });
    const found = await rows(`
      SELECT external_id, year, listed_price, landed_price, vin_valid, images, status, jsonb_array_length(issues) AS issues
      FROM cars WHERE external_id IN ('1', '2', '3', '4') ORDER BY 1`);
    const kept = { year: 2021, vin_valid: true, status: 'active' };
    const priceless = { listed_price: null, landed_price: null };
    const image = ['https://images.example/1.jpg'];
    expect(found).toEqual([
      { ...kept, ...priceless, external_id: '1', year: null, vin_valid: false, images: image, issues: 2 },
      { ...kept, external_id: '2', listed_price: '10002.00', landed_price: '12552', images: [], issues: 0 },
      { ...kept, ...priceless, external_id: '3', images: [], issues: 1 },
      { ...kept, ...priceless, external_id: '4', images: [], issues: 1 },
    ]);
  });

  test('the same car twice counts once, as it was shown last', async () => {
    auctions.cars = [...carRecords(50), carRecord(50, { buy_now: 7 })];
    const result = await run({ full: true });
    expect(tableOf(result, 'cars')).toMatchObject({ inserted: 50, duplicates: 1 });
    expect(await rows(`SELECT listed_price FROM cars WHERE external_id = '50'`)).toEqual([
      { listed_price: '7.00' },
    ]);
  });

  test('a busy source is waited for, and the run goes on', async () => {
    let refusals = 2;
    auctions.answer = (_request, response, page) => {
      if (page === 2 && refusals > 0) {
        refusals -= 1;
        return void response.writeHead(429).end();
      }
      sendPage(response, pageOf(auctions, page));
    };
    expect(await run({ full: true })).toMatchObject({ status: 'completed', total_rows_processed: 60 });
    expect([...auctions.requests]).toEqual([
      [1, 1],
      [2, 3],
    ]);
  });
});
