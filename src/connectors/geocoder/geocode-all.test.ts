import { expect, test } from 'vitest';
import { SyncFailure } from '../../domain/failures.ts';
import { geocodeAll } from './geocode-all.ts';
import type { GeocodeAllOptions } from './geocode-all.ts';
import { withoutLocation } from './geocoder.ts';
import type { GeocodeAnswer, Geocoder } from './geocoder.ts';

const FOUND: GeocodeAnswer = {
  status: 'OK',
  latitude: 34,
  longitude: -118,
  placeId: null,
  approximate: true,
};
const down = () => new SyncFailure('SourceUnavailable', 'the geocoder is down');
const addresses = (count: number) => Array.from({ length: count }, (_, index) => `${index + 1} Main St`);

/** Runs with a high rate and short pauses unless told otherwise, and keeps what was answered. */
async function run(geocode: Geocoder['geocode'], options: Partial<GeocodeAllOptions> = {}) {
  const answered: [string, GeocodeAnswer['status']][] = [];
  const counts = await geocodeAll({
    addresses: addresses(3),
    geocoder: { name: 'offline', geocode },
    requestsPerSecond: 10_000,
    retryDelaysMs: [1, 1, 1],
    signal: new AbortController().signal,
    onAnswer: (address, answer) => void answered.push([address, answer.status]),
    ...options,
  });
  return { counts, answered };
}

test('every address is answered once and counted by its answer', async () => {
  const statuses = ['OK', 'ZERO_RESULTS', 'INVALID_REQUEST'] as const;
  const { counts, answered } = await run(async (address) => {
    const status = statuses[Number(address[0]) - 1] ?? 'OK';
    return status === 'OK' ? FOUND : withoutLocation(status);
  });
  expect(counts).toEqual({ asked: 3, ok: 1, zeroResults: 1, invalid: 1, failed: 0, left: 0 });
  expect(answered).toEqual(addresses(3).map((address, index) => [address, statuses[index]]));
});

test('no addresses are no requests', async () => {
  const { counts } = await run(() => Promise.reject(down()), { addresses: [] });
  expect(counts).toMatchObject({ asked: 0, left: 0 });
});

test('a passing failure is asked again', async () => {
  let requests = 0;
  const { counts } = await run(async () => {
    requests += 1;
    if (requests <= 2) throw new SyncFailure('SourceThrottled', 'too fast', { retryAfterMs: 2 });
    return FOUND;
  });
  expect(counts).toMatchObject({ asked: 3, ok: 3, failed: 0 });
  expect(requests).toBe(5);
});

test('one address that keeps failing is given up after its repeats and the rest goes on', async () => {
  let requests = 0;
  const { counts, answered } = await run(async (address) => {
    if (address !== '2 Main St') return FOUND;
    requests += 1;
    throw down();
  });
  expect(requests).toBe(4);
  expect(counts).toMatchObject({ asked: 3, ok: 2, failed: 1, firstFailure: 'the geocoder is down' });
  expect(counts.stoppedBy).toBeUndefined();
  expect(answered.map(([address]) => address)).toEqual(['1 Main St', '3 Main St']);
});

test('a refused key stops the rest and says how many were left', async () => {
  let requests = 0;
  const geocode = async () => {
    requests += 1;
    if (requests > 2) throw new SyncFailure('SourceUnauthorized', 'the key is refused');
    return FOUND;
  };
  const { counts } = await run(geocode, { addresses: addresses(100), concurrency: 1 });
  expect(requests).toBe(3);
  expect(counts).toMatchObject({ asked: 3, ok: 2, left: 98, stoppedBy: 'the key is refused' });
});

test('a used-up quota does not lose the answers under way and does not wait for repeats', async () => {
  const geocode = async (address: string) => {
    if (address === '1 Main St') {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return FOUND;
    }
    if (address === '2 Main St') throw down();
    throw new SyncFailure('SourceRefused', 'the quota is used up');
  };
  const before = performance.now();
  const { counts, answered } = await run(geocode, { addresses: addresses(20), retryDelaysMs: [60_000] });
  expect(performance.now() - before).toBeLessThan(10_000);
  expect(answered).toEqual([['1 Main St', 'OK']]);
  expect(counts).toMatchObject({ ok: 1, failed: 0, left: 19, stoppedBy: 'the quota is used up' });
});

test('a geocoder that is down is not asked for every address', async () => {
  const geocode = () => Promise.reject(down());
  const { counts } = await run(geocode, { addresses: addresses(500), retryDelaysMs: [], concurrency: 10 });
  expect(counts.failed).toBe(50);
  expect(counts.left).toBe(450);
  expect(counts.stoppedBy).toContain('50 addresses in a row');
});

test('failures with answers between them do not stop the rest', async () => {
  const geocode = (address: string) =>
    /[05] Main/.test(address) ? Promise.resolve(FOUND) : Promise.reject(down());
  const { counts } = await run(geocode, { addresses: addresses(100), retryDelaysMs: [], concurrency: 10 });
  expect(counts).toMatchObject({ asked: 100, ok: 20, failed: 80, left: 0 });
});

test('requests are spread evenly, with many under way, and never above the rate', async () => {
  const starts: number[] = [];
  let underWay = 0;
  let mostUnderWay = 0;
  await run(
    async () => {
      starts.push(performance.now());
      mostUnderWay = Math.max(mostUnderWay, (underWay += 1));
      await new Promise((resolve) => setTimeout(resolve, 200));
      underWay -= 1;
      return FOUND;
    },
    { addresses: addresses(30), requestsPerSecond: 20 },
  );
  const [first = NaN] = starts;
  expect((starts[20] ?? NaN) - first).toBeGreaterThanOrEqual(1000);
  expect((starts[10] ?? NaN) - first).toBeGreaterThanOrEqual(250);
  expect(mostUnderWay).toBeGreaterThanOrEqual(3);
});

test('after a busy moment late turns are made up for, but not all at once', async () => {
  const starts: number[] = [];
  const geocode = async () => {
    const now = performance.now();
    starts.push(now);
    if (starts.length === 3) while (performance.now() < now + 220);
    return FOUND;
  };
  await run(geocode, { addresses: addresses(12), requestsPerSecond: 20 });
  const gaps = starts.slice(1).map((start, index) => start - (starts[index] ?? NaN));
  expect(Math.min(...gaps)).toBeGreaterThan(12);
});

test('no more than the given number is under way', async () => {
  let underWay = 0;
  let mostUnderWay = 0;
  const geocode = async () => {
    mostUnderWay = Math.max(mostUnderWay, (underWay += 1));
    await new Promise((resolve) => setTimeout(resolve, 5));
    underWay -= 1;
    return FOUND;
  };
  await run(geocode, { addresses: addresses(20), concurrency: 4 });
  expect(mostUnderWay).toBe(4);
});

test('an error while an answer is stored ends the call with that error', async () => {
  const onAnswer = () => Promise.reject(new Error('the database is gone'));
  await expect(run(async () => FOUND, { onAnswer })).rejects.toThrow('the database is gone');
});

test('an error of the list of addresses ends the call with that error', async () => {
  async function* broken() {
    yield '1 Main St';
    throw new Error('the cursor is gone');
  }
  await expect(run(async () => FOUND, { addresses: broken() })).rejects.toThrow('the cursor is gone');
});

test('a bug in a geocoder is thrown, not counted as a failed address', async () => {
  await expect(run(() => Promise.reject(new TypeError('a bug')))).rejects.toThrow('a bug');
});

test('an abort ends pauses and turns at once with the reason of the signal', async () => {
  const stop = new AbortController();
  const geocode = () => {
    setTimeout(() => stop.abort(new Error('cancelled by the run')), 5);
    return Promise.reject(down());
  };
  const before = performance.now();
  const running = run(geocode, { signal: stop.signal, requestsPerSecond: 0.1, retryDelaysMs: [60_000] });
  await expect(running).rejects.toThrow('cancelled by the run');
  expect(performance.now() - before).toBeLessThan(5_000);
});
