import { expect, test } from 'vitest';
import { createOfflineGeocoder } from './offline.ts';

const geocoder = createOfflineGeocoder();
const ask = (address: string) => geocoder.geocode(address, new AbortController().signal);

/** Within about 0.1 degrees (11 km) of a point known from a map. */
async function expectNear(address: string, latitude: number, longitude: number): Promise<void> {
  const answer = await ask(address);
  expect(answer, address).toMatchObject({ status: 'OK', placeId: null, approximate: true });
  expect(Math.abs((answer.latitude ?? NaN) - latitude), address).toBeLessThan(0.1);
  expect(Math.abs((answer.longitude ?? NaN) - longitude), address).toBeLessThan(0.1);
}

test('an address with a ZIP code lies in the middle of that ZIP code', async () => {
  await expectNear('9000 Sunset Blvd, West Hollywood, CA 90069', 34.09, -118.38);
  await expectNear('350 5th Ave, New York, NY 10118-0110, USA', 40.75, -73.99);
});

test('without a ZIP code, or with an unknown one, it lies in the middle of its city', async () => {
  await expectNear('1 Main St, Boise, ID', 43.61, -116.2);
  await expectNear('1 Main St, Boise, Idaho 00000', 43.61, -116.2);
  await expectNear('1 Market St, St. Louis, MO, United States', 38.63, -90.25);
  await expectNear('1 Trade St Winston-Salem NC', 36.1, -80.25);
});

test('a house number of five digits is not taken for a ZIP code', async () => {
  await expectNear('12345 Sunset Blvd, Los Angeles, CA', 34.05, -118.25);
});

test('a city is not taken for another one whose name is its end', async () => {
  await expectNear('1 A St West Palm Beach FL', 26.7, -80.1);
});

test('nothing known is ZERO_RESULTS without coordinates', async () => {
  for (const address of ['', '10 Downing Street, London', '1 Main St', 'CA', 'Nowhereville, CA', '00000']) {
    expect(await ask(address), address).toMatchObject({
      status: 'ZERO_RESULTS',
      latitude: null,
      longitude: null,
    });
  }
});

test('an aborted signal ends it with its own reason', async () => {
  const reason = new Error('cancelled by the run');
  await expect(geocoder.geocode('90210', AbortSignal.abort(reason))).rejects.toBe(reason);
});
