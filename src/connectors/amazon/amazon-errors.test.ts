import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { startAmazonShop } from '../../../test/support/amazon-shop.ts';
import type { Scripted } from '../../../test/support/fake-amazon.ts';
import { SyncFailure } from '../../domain/failures.ts';
import { createLwaTokenCache } from './lwa-token-cache.ts';

const signal = new AbortController().signal;

async function failureOf(work: Promise<unknown>): Promise<SyncFailure> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SyncFailure);
  return error as SyncFailure;
}

/** What the first page of orders fails with when Amazon answers so. */
async function orderFailure(...answers: Scripted[]): Promise<SyncFailure> {
  const { client, fake } = await startAmazonShop();
  fake.script('searchOrders', ...answers);
  return failureOf(client.fetchPage('orders', null, null, signal));
}

const said = (message: string) => ({ errors: [{ code: 'Code', message, details: '' }] });
const denied: Scripted = { status: 403, body: said('Access to requested resource is denied.') };

describe('a status of the Selling Partner API', () => {
  test.each([
    [400, 'SourceRefused'],
    [404, 'SourceNotFound'],
    [413, 'SourceRefused'],
    [415, 'SourceRefused'],
    [500, 'SourceUnavailable'],
    [503, 'SourceUnavailable'],
    [302, 'SourceRefused'],
  ])('%i is %s and says where', async (status, code) => {
    const failure = await orderFailure({ status, body: said('Something is wrong.') });
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(/^Amazon searchOrders \(http:\/\/127\.0\.0\.1:\d+\): answered \d{3}/);
  });

  test('what Amazon says about a bad request is passed on', async () => {
    const failure = await orderFailure({ status: 400, body: said('lastUpdatedAfter is not a date-time.') });
    expect(failure.message).toContain('Code: lastUpdatedAfter is not a date-time.');
  });

  test('errors under HTTP 200 are errors', async () => {
    const failure = await orderFailure({ status: 200, body: said('Invalid request.') });
    expect(failure).toMatchObject({
      code: 'SourceRefused',
      message: expect.stringContaining('Invalid request.'),
    });
  });

  test('an answer that is not JSON may pass, one of another form does not', async () => {
    expect((await orderFailure({ status: 200, body: '<html>Maintenance' })).code).toBe('SourceUnavailable');
    const failure = await orderFailure({ status: 200, body: { orders: 'none' } });
    expect(failure).toMatchObject({ code: 'SourceRefused', message: expect.stringContaining(`'orders'`) });
  });
});

describe('429', () => {
  test.each([
    ['the time that Retry-After gives', { 'retry-after': '7', 'x-amzn-ratelimit-limit': '0.5' }, 7000],
    ['else one call of x-amzn-RateLimit-Limit', { 'x-amzn-ratelimit-limit': '0.5' }, 2000],
    ['else one call of the usage plan', {}, 178_572],
    ['also when the header makes no sense', { 'x-amzn-ratelimit-limit': '0' }, 178_572],
  ])('waits %s', async (_, headers, retryAfterMs) => {
    const failure = await orderFailure({ status: 429, headers, body: said('You exceeded your quota.') });
    expect(failure).toMatchObject({ code: 'SourceThrottled', retryAfterMs });
  });
});

describe('403', () => {
  test('of an old token is answered with a new one, once', async () => {
    const { client, fake } = await startAmazonShop();
    await client.testConnection(signal);
    fake.script('searchOrders', denied);
    expect(await client.fetchPage('orders', null, null, signal)).toMatchObject({ records: [] });
    expect(fake.callsOf('lwa')).toHaveLength(2);
    const [old, fresh] = fake.callsOf('searchOrders').map(({ headers }) => headers.get('x-amz-access-token'));
    expect(old).not.toBe(fresh);
  });

  test('with a new token too is SourceUnauthorized, neither expired nor revoked', async () => {
    const failure = await orderFailure(denied, denied);
    expect(failure.code).toBe('SourceUnauthorized');
    expect(failure.message).toContain('searchOrders');
    expect(failure.message).not.toMatch(/expired|revoked/);
  });
});

describe('Login with Amazon', () => {
  const loginFailure = async (...answers: Scripted[]): Promise<SyncFailure> => {
    const { client, fake } = await startAmazonShop();
    fake.script('lwa', ...answers);
    const failure = await failureOf(client.testConnection(signal));
    expect(fake.callsOf('getMarketplaceParticipations')).toHaveLength(0);
    return failure;
  };

  test.each([
    ['invalid_grant', 'User may have revoked or did not grant the permission.', 'revoked'],
    ['invalid_grant', 'The refresh token has expired.', 'expired'],
    ['invalid_client', 'Client authentication failed', 'not accepted'],
    ['invalid_client', 'The client secret is expired.', 'expired'],
    ['unauthorized_client', 'Not authorized for requested operation', 'belong together'],
  ])('%s (%s) is SourceUnauthorized: %s', async (error, error_description, word) => {
    const failure = await loginFailure({ status: 400, body: { error, error_description } });
    expect(failure.code).toBe('SourceUnauthorized');
    expect(failure.message).toContain(word);
    expect(failure.message).toContain(error);
    const words = failure.message.match(/\b(expired|revoked)\b/g) ?? [];
    expect(words).toEqual(word === 'expired' || word === 'revoked' ? [word] : []);
  });

  test.each([
    [{ status: 429, headers: { 'retry-after': '3' } }, 'SourceThrottled'],
    [{ status: 500 }, 'SourceUnavailable'],
    [{ status: 400, body: { error: 'invalid_request' } }, 'SourceRefused'],
    [{ status: 401, body: 'no' }, 'SourceUnauthorized'],
    [{ status: 200, body: '<html>' }, 'SourceUnavailable'],
    [{ status: 200, body: { access_token: 'two\nlines', expires_in: 3600 } }, 'SourceUnavailable'],
  ] satisfies [Scripted, string][])('%j is %s', async (answer, code) => {
    expect((await loginFailure(answer)).code).toBe(code);
  });

  test('a failed login is tried again by the next call', async () => {
    const { client, fake } = await startAmazonShop();
    fake.script('lwa', { status: 500 });
    await failureOf(client.testConnection(signal));
    expect(await client.testConnection(signal)).toEqual({ name: 'Fake store' });
  });
});

describe('tokens', () => {
  test('one serves all calls of a credential, also those that begin together', async () => {
    const { connect, fake } = await startAmazonShop();
    const tokens = createLwaTokenCache();
    await Promise.all([1, 2, 3].map(() => connect({ tokens }).testConnection(signal)));
    await connect({ tokens }).fetchPage('orders', null, null, signal);
    expect(fake.callsOf('lwa')).toHaveLength(1);
  });

  test('another app, secret or permission has its own', async () => {
    const { connect, fake } = await startAmazonShop();
    const tokens = createLwaTokenCache();
    await connect({ tokens }).testConnection(signal);
    const other = connect({ tokens, credentials: { ...fake.credentials, client_secret: 'another' } });
    expect((await failureOf(other.testConnection(signal))).code).toBe('SourceUnauthorized');
  });

  test('one is replaced a minute before it ends', async () => {
    let nowMs = Date.now();
    const { connect, fake } = await startAmazonShop({ now: () => new Date(nowMs) });
    const client = connect({ tokens: createLwaTokenCache({ now: () => nowMs }) });
    await client.testConnection(signal);
    nowMs += 3_539_000;
    await client.testConnection(signal);
    expect(fake.callsOf('lwa')).toHaveLength(1);
    nowMs += 2_000;
    await client.testConnection(signal);
    expect(fake.callsOf('lwa')).toHaveLength(2);
  });
});

describe('no answer', () => {
  test('in time is SourceUnavailable', async () => {
    const { connect, fake } = await startAmazonShop();
    fake.script('searchOrders', 'hang');
    const failure = await failureOf(connect({ timeoutMs: 300 }).fetchPage('orders', null, null, signal));
    expect(failure).toMatchObject({ code: 'SourceUnavailable', message: expect.stringContaining('in time') });
  });

  test('at all is SourceUnavailable', async () => {
    const { connect } = await startAmazonShop();
    const client = connect({ spApiBaseUrl: 'http://127.0.0.1:1' });
    expect((await failureOf(client.fetchPage('orders', null, null, signal))).code).toBe('SourceUnavailable');
  });

  test.each(['lwa', 'searchOrders'] as const)(
    'of %s is no longer waited for after an abort',
    async (operation) => {
      const { client, fake } = await startAmazonShop();
      fake.script(operation, 'hang');
      const reason = new Error('cancelled by the run');
      const controller = new AbortController();
      setTimeout(() => controller.abort(reason), 100);
      await expect(client.fetchPage('orders', null, null, controller.signal)).rejects.toBe(reason);
    },
  );
});

test('no failure holds a secret, even when Amazon repeats all of them', async () => {
  const { client, fake } = await startAmazonShop();
  const { client_secret, refresh_token } = fake.credentials;
  const tokensSent: string[] = [];
  const everything = (token: string) => {
    tokensSent.push(token);
    return [client_secret, refresh_token, token]
      .map((each) => `${each} ${encodeURIComponent(each)}`)
      .join(' ');
  };
  const repeated = (status: number): Scripted => ({
    status,
    body: (token: string) => said(everything(token)),
  });
  const failures: SyncFailure[] = [];
  const statuses = [200, 400, 403, 404, 413, 429, 500];
  for (const status of statuses) {
    fake.script('searchOrders', repeated(status), ...(status === 403 ? [repeated(status)] : []));
    failures.push(await failureOf(client.fetchPage('orders', null, null, signal)));
  }
  fake.script('searchOrders', { status: 200, body: everything });
  failures.push(await failureOf(client.fetchPage('orders', null, null, signal)));
  for (const error of ['invalid_grant', 'invalid_client', 'unauthorized_client', 'other']) {
    const { client: fresh, fake: login } = await startAmazonShop();
    login.script('lwa', { status: 400, body: { error, error_description: everything('') } });
    failures.push(await failureOf(fresh.testConnection(signal)));
  }
  const secrets = [client_secret, refresh_token, ...tokensSent].filter((each) => each !== '');
  expect(secrets.length).toBeGreaterThan(8);
  for (const failure of failures) {
    const text = inspect(failure, { depth: 20, showHidden: true });
    for (const secret of secrets) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(encodeURIComponent(secret));
    }
  }
  expect(failures[1]?.message).toContain('***');
});
