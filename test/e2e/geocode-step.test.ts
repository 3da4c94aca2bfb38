import type { ServerResponse } from 'node:http';
import { beforeEach, describe, expect, test } from 'vitest';
import { FLEET_PATHS, partnerFile, partnerLine } from '../support/fleet-files.ts';
import { answerFleet, startFleetHarness, tableOf } from '../support/sync-harness.ts';

const fleet = await startFleetHarness();
const PARTNERS = FLEET_PATHS.FMS_PARTNERS_CSV_URL;
const KEY = 'AIza-not-to-be-shown';
fleet.env['GOOGLE_MAPS_API_KEY'] = KEY;
fleet.env['GOOGLE_MAPS_BASE_URL'] = fleet.server.url;

/** How often each address was asked for. */
const asked = new Map<string, number>();
/** What Google answers an address with; a place of its own unless a test says otherwise. */
let answerOf: (address: string, times: number) => object;

const ok = (lat: number): object => ({
  status: 'OK',
  results: [
    { geometry: { location: { lat, lng: -118.2 }, location_type: 'ROOFTOP' }, place_id: `place ${lat}` },
  ],
});
const houseNumber = (address: string): number => Number.parseInt(address, 10);
const refused = (status: string, error_message?: string): object => ({ status, error_message, results: [] });

fleet.server.answer('/maps/api/geocode/json', (request, response: ServerResponse) => {
  const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
  const address = query.get('address') ?? '';
  const times = (asked.get(address) ?? 0) + 1;
  asked.set(address, times);
  const answer = query.get('key') === KEY ? answerOf(address, times) : refused('REQUEST_DENIED');
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
});

const partners = () =>
  fleet.rows(
    `SELECT person_id, latitude, longitude, geocode_status AS status, geocode_approximate AS approximate
     FROM media_partners ORDER BY person_id::integer`,
  );
const requests = (): number => [...asked.values()].reduce((sum, times) => sum + times, 0);
const night = () => fleet.run({ tables: ['media_partners'] });

/** Ten partners with an address each, of which no answer is known. */
beforeEach(async () => {
  answerFleet(fleet.server);
  await fleet.rows(`DELETE FROM geocode_cache`);
  asked.clear();
  answerOf = (address) => ok(houseNumber(address));
  fleet.env['GEOCODE_QPS'] = '1000';
});

describe('geocoding with Google', () => {
  test('asks for each address once, and the next night for none', async () => {
    fleet.server.answer(
      PARTNERS,
      partnerFile(8) +
        partnerLine(9, 'N/A') +
        '\n' +
        partnerLine(10, '1 Main St, Los Angeles, CA 90012') +
        '\n',
    );
    const first = await fleet.run();
    expect(first).toMatchObject({ status: 'completed', notices: [] });
    expect(first.enrich).toMatchObject([
      { step: 'geocode', success: true, counts: { asked: 8, ok: 8, failed: 0, left: 0 } },
    ]);
    expect([...asked.values()]).toEqual(Array.from({ length: 8 }, () => 1));
    const rows = await partners();
    expect(rows[1]).toEqual({
      person_id: '2',
      latitude: 2,
      longitude: -118.2,
      status: 'OK',
      approximate: false,
    });
    expect(rows[8]).toMatchObject({ person_id: '9', latitude: null, status: null });
    expect(rows[9]).toMatchObject({ person_id: '10', latitude: 1, status: 'OK' });
    const second = await fleet.run();
    expect(second.enrich).toMatchObject([{ success: true, counts: { asked: 0 } }]);
    expect(requests()).toBe(8);
    expect(await partners()).toEqual(rows);
  });

  test('asks again for an address that changed, and takes the coordinates of one that went', async () => {
    await night();
    asked.clear();
    const file = partnerFile(10)
      .replace(partnerLine(2), partnerLine(2, '77 New St, Dallas'))
      .replace(partnerLine(3), partnerLine(3, ' '));
    fleet.server.answer(PARTNERS, file);
    await night();
    expect([...asked]).toEqual([['77 New St, Dallas', 1]]);
    const rows = await partners();
    expect(rows[1]).toMatchObject({ latitude: 77, status: 'OK' });
    expect(rows[2]).toEqual({
      person_id: '3',
      latitude: null,
      longitude: null,
      status: null,
      approximate: null,
    });
    expect(rows[3]).toMatchObject({ latitude: 4, status: 'OK' });
  });

  test('takes the old coordinates of a changed address also when the new one cannot be found', async () => {
    await night();
    fleet.server.answer(PARTNERS, partnerFile(10).replace(partnerLine(2), partnerLine(2, 'Nowhere')));
    answerOf = () => refused('ZERO_RESULTS');
    await night();
    expect((await partners())[1]).toMatchObject({ latitude: null, longitude: null, status: 'ZERO_RESULTS' });
  });

  test('asks again for found and unknown addresses after 30 days, for invalid ones the next night', async () => {
    answerOf = (address) =>
      houseNumber(address) === 1
        ? refused('ZERO_RESULTS')
        : houseNumber(address) === 2
          ? refused('INVALID_REQUEST')
          : ok(houseNumber(address));
    await night();
    asked.clear();
    await night();
    expect([...asked.keys()].map(houseNumber)).toEqual([2]);
    await fleet.rows(
      `UPDATE geocode_cache SET answered_at = now() - interval '31 days' WHERE address ~ '^[134] '`,
    );
    asked.clear();
    await night();
    expect(new Set([...asked.keys()].map(houseNumber))).toEqual(new Set([1, 2, 3, 4]));
  });

  test('moves neither updated_at nor last_run_id of a partner', async () => {
    const read = () => fleet.rows(`SELECT person_id, updated_at, last_run_id FROM media_partners ORDER BY 1`);
    await night();
    await fleet.rows(`UPDATE geocode_cache SET answered_at = now() - interval '31 days'`);
    answerOf = () => ok(45);
    const before = await read();
    await night();
    expect(await partners()).toContainEqual(expect.objectContaining({ latitude: 45 }));
    expect(await read()).toEqual(before);
  });
});

describe('geocoding that fails in the middle', () => {
  test('goes on in the same run with what has no answer yet', async () => {
    fleet.env['GEOCODE_QPS'] = '50';
    await night();
    await fleet.rows(`DELETE FROM geocode_cache`);
    asked.clear();
    // The connection to the database is lost once, while the fifth answer is kept.
    await fleet.rows(`CREATE SEQUENCE answers; CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('answers') = 5 THEN RAISE EXCEPTION 'shutting down' USING ERRCODE = '57P01'; END IF;
        RETURN NEW;
      END $$; CREATE TRIGGER lose BEFORE INSERT ON geocode_cache FOR EACH ROW EXECUTE FUNCTION lose()`);
    const result = await night();
    await fleet.rows(`DROP TRIGGER lose ON geocode_cache`);
    expect(result).toMatchObject({ status: 'completed', notices: [] });
    const once = [...asked.values()].filter((times) => times === 1).length;
    expect(once).toBeGreaterThanOrEqual(8);
    expect(requests()).toBeGreaterThan(10);
    expect(result.enrich[0]?.counts['asked']).toBeLessThanOrEqual(6);
    expect((await partners()).every(({ status }) => status === 'OK')).toBe(true);
  });

  test('goes on the next night with what a used-up quota left over', async () => {
    fleet.env['GEOCODE_QPS'] = '50';
    await night();
    await fleet.rows(`DELETE FROM geocode_cache`);
    asked.clear();
    answerOf = (address) => (asked.size > 6 ? refused('OVER_DAILY_LIMIT') : ok(houseNumber(address)));
    const result = await night();
    expect(result).toMatchObject({ status: 'completed' });
    expect(result.enrich).toMatchObject([{ success: false, counts: { ok: 6, left: 4 } }]);
    expect(result.notices).toEqual([expect.stringMatching(/^geocode: .*quota/)]);
    const answered = new Set([...asked.keys()].slice(0, 6));
    answerOf = (address) => ok(houseNumber(address));
    asked.clear();
    expect((await night()).enrich).toMatchObject([{ success: true, counts: { asked: 4, ok: 4 } }]);
    expect([...asked.keys()].filter((address) => answered.has(address))).toEqual([]);
  });

  test('asks again when it was too fast', async () => {
    answerOf = (address, times) => (times === 1 ? refused('OVER_QUERY_LIMIT') : ok(houseNumber(address)));
    const result = await night();
    expect(result).toMatchObject({ status: 'completed', notices: [] });
    expect(result.enrich).toMatchObject([{ success: true, counts: { asked: 10, ok: 10, failed: 0 } }]);
    expect(requests()).toBe(20);
  });

  test('gives up on addresses it is never let ask, reports them, and asks for them the next night', async () => {
    answerOf = (address) =>
      houseNumber(address) <= 2 ? refused('OVER_QUERY_LIMIT') : ok(houseNumber(address));
    const result = await night();
    expect(result).toMatchObject({ status: 'completed', success_count: 1, failure_count: 0 });
    expect(result.enrich).toMatchObject([
      { counts: { ok: 8, failed: 2 }, summary: expect.stringMatching(/2 failed: .*too fast/) },
    ]);
    expect(result.notices).toEqual([expect.stringContaining('only 8 of 10 addresses were found')]);
    asked.clear();
    answerOf = (address) => ok(houseNumber(address));
    await night();
    expect(new Set([...asked.keys()].map(houseNumber))).toEqual(new Set([1, 2]));
  }, 40_000);

  test('is never fatal: a refused key is reported without the key, and the run is completed', async () => {
    answerOf = () => refused('REQUEST_DENIED', `The provided API key ${KEY} is invalid.`);
    const result = await fleet.run();
    expect(result).toMatchObject({ status: 'completed', success_count: 5, failure_count: 0 });
    expect(tableOf(result, 'media_partners')).toMatchObject({ success: true });
    expect(result.enrich).toMatchObject([{ step: 'geocode', success: false }]);
    expect(result.derive).toMatchObject([{ success: true }]);
    expect(result.notices).toEqual([expect.stringMatching(/GOOGLE_MAPS_API_KEY is refused/)]);
    expect(JSON.stringify(result)).not.toContain(KEY);
  });
});

describe('the share of addresses found', () => {
  test.each([
    [1, []],
    [2, ['geocode: only 8 of 10 addresses were found.']],
  ])('with %i of 10 unknown gives these notices: %j', async (unknown, notices) => {
    answerOf = (address) =>
      houseNumber(address) <= unknown ? refused('ZERO_RESULTS') : ok(houseNumber(address));
    const result = await night();
    expect(result.enrich).toMatchObject([{ success: true, counts: { zeroResults: unknown } }]);
    expect(result.notices).toEqual(notices);
  });
});
