import { once } from 'node:events';
import { connect } from 'node:net';
import { Agent, request } from 'undici';
import { afterEach, expect, test } from 'vitest';
import { fleetExport } from '../syncs/fleet/demo-data.ts';
import { demoSettings } from './demo-settings.ts';
import { startDemoSourceServer } from './demo-source-server.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(day: string, port = 0) {
  const server = await startDemoSourceServer({ port, now: () => new Date(day) });
  closers.push(() => server.close());
  return server;
}

async function get(url: string) {
  const dispatcher = new Agent();
  closers.push(() => dispatcher.destroy());
  const { statusCode, headers, body } = await request(url, { dispatcher });
  return { statusCode, headers, text: await body.text() };
}

test('every fleet setting leads to the export of the day, as CSV without a header row', async () => {
  const { settings, url } = await start('2026-11-23T02:00:00Z');
  expect(settings).toEqual(demoSettings(url));
  const feeds = {
    FMS_VEHICLES_CSV_URL: 'vehicles',
    FMS_PARTNERS_CSV_URL: 'media_partners',
    FMS_LOAN_HISTORY_CSV_URL: 'loan_history',
    FMS_CURRENT_ACTIVITY_CSV_URL: 'current_activity',
    FMS_APPROVED_MAKES_CSV_URL: 'approved_makes',
    FMS_BUDGET_SPENDING_CSV_URL: 'budget_spending',
  } as const;
  expect(Object.keys(settings).filter((name) => name.startsWith('FMS_'))).toEqual(Object.keys(feeds));
  for (const [setting, feed] of Object.entries(feeds)) {
    const { statusCode, headers, text } = await get(settings[setting] ?? '');
    expect(statusCode).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/csv/);
    expect(text, feed).toBe([...fleetExport(feed, { night: 326 })].join(''));
  }
});

test('the next day has other rows, the same day has not', async () => {
  const partners = async (day: string) =>
    (await get((await start(day)).settings['FMS_LOAN_HISTORY_CSV_URL'] ?? '')).text;
  const morning = await partners('2026-11-23T00:00:00Z');
  expect(await partners('2026-11-23T23:59:59Z')).toBe(morning);
  expect(await partners('2026-11-24T00:00:00Z')).not.toBe(morning);
});

test('a clock before the first night gets the first night', async () => {
  const { settings } = await start('1970-01-01T00:00:00Z');
  const { text } = await get(settings['FMS_VEHICLES_CSV_URL'] ?? '');
  expect(text).toBe([...fleetExport('vehicles')].join(''));
});

test('the front page says that it is demo data and links every feed', async () => {
  const { url, settings } = await start('2026-11-23T02:00:00Z');
  const { text, headers } = await get(`${url}/`);
  expect(headers['content-type']).toMatch(/^text\/html/);
  expect(text).toContain('demo data');
  for (const [setting, value] of Object.entries(settings)) {
    expect(text).toContain(setting);
    expect(text).toContain(URL.canParse(value) ? `href="${value}"` : value);
  }
});

test('any other path is not found', async () => {
  const { url } = await start('2026-11-23T02:00:00Z');
  expect((await get(`${url}/fms/other.rpt`)).statusCode).toBe(404);
});

test('a taken port is refused with its address', async () => {
  const { url } = await start('2026-11-23T02:00:00Z');
  const port = Number(new URL(url).port);
  await expect(start('2026-11-23T02:00:00Z', port)).rejects.toThrow(
    `EADDRINUSE: address already in use 127.0.0.1:${port}`,
  );
});

test('closing ends a download that nobody reads, frees the port and can be repeated', async () => {
  const server = await start('2026-11-23T02:00:00Z');
  const port = Number(new URL(server.url).port);
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  // Several at once, because the buffers of the loopback hold more than one export.
  socket.write('GET /fms/loan_history.rpt HTTP/1.1\r\nhost: demo\r\n\r\n'.repeat(20));
  await once(socket, 'readable');
  const ended = once(socket, 'close');
  await server.close();
  await server.close();
  socket.resume();
  await ended;
  await start('2026-11-23T02:00:00Z', port);
});

test('a reader that goes away in the middle disturbs nobody', async () => {
  const { url, settings } = await start('2026-11-23T02:00:00Z');
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write('GET /fms/loan_history.rpt HTTP/1.1\r\nhost: demo\r\n\r\n');
  await once(socket, 'readable');
  socket.destroy();
  expect((await get(settings['FMS_VEHICLES_CSV_URL'] ?? '')).text.split('\n')).toHaveLength(980);
});
