import { beforeAll, describe, expect, test } from 'vitest';
import { createLoginCode } from '../../src/db/sessions.ts';
import { hashToken } from '../../src/db/tokens.ts';
import { axe, expectFits, startDashboardHarness } from '../support/dashboard-harness.ts';
import { emptyShop } from '../support/fake-shopify.ts';
import { FLEET_PATHS, vehicleFile, vehicleLine } from '../support/fleet-files.ts';
import { stalledAnswer } from '../support/stalled-answer.ts';

const { api, exports, open, rows, database, shopify, complaints } = await startDashboardHarness();
const VEHICLES = FLEET_PATHS.FMS_VEHICLES_CSV_URL;
/** What every test finds. */
beforeAll(() => api.call('POST /api/syncs/fleet/runs?wait=true'));

/** Of the fleet: other syncs have other buttons. */
async function newestRun(status: string): Promise<string> {
  const query = `SELECT run_id FROM durasync.sync_runs WHERE status = '${status}' AND sync = 'fleet'
    ORDER BY started_at DESC LIMIT 1`;
  return String((await rows(query))[0]?.['run_id']);
}

describe('logging in', () => {
  test('asks for a token, says what is wrong with one, and goes on to the page that was asked for', async () => {
    const page = await open('viewer', '/');
    await page.context().clearCookies();
    await page.goto('/runs?status=held');
    await page.getByLabel('Token').fill('dsk_wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').getByText('npx durasync token create').waitFor();
    await page.getByLabel('Token').fill(api.tokens.viewer);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Runs' }).waitFor();
    expect(page.url()).toContain('/runs?status=held');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Token').waitFor();
    expect((await page.context().cookies()).length).toBe(0);
  });

  test('a login link works once, and its code leaves the address', async () => {
    const code = await createLoginCode(database.db, hashToken(api.tokens.admin));
    const page = await open('viewer', '/');
    await page.context().clearCookies();
    await page.goto(`/login#code=${code}`);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.getByText('· Admin').waitFor();
    expect(page.url()).toBe(`${api.url}/`);
    await page.context().clearCookies();
    await page.goto('about:blank');
    await page.goto(`/login#code=${code}`);
    await page.getByText('npx durasync login').first().waitFor();
    await page.getByRole('alert').getByText('used').waitFor();
  });

  test('a login that ends while a page is open comes back to that page', async () => {
    const page = await open('viewer', '/schedules');
    await page.getByRole('table', { name: 'Schedules' }).waitFor();
    await database.pool.query('DELETE FROM durasync.sessions');
    await page.getByRole('link', { name: 'Quarantine' }).click();
    await page.getByText('Your login has ended').waitFor();
    await page.getByLabel('Token').fill(api.tokens.viewer);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Quarantine' }).waitFor();
  });
});

describe('a run', () => {
  test('is started, watched and finished without the page being loaded again', async () => {
    const stalled = stalledAnswer(vehicleFile(10), 2);
    exports.answer(VEHICLES, stalled.answer);
    const page = await open('operator', '/');
    await page.evaluate('window.stillThere = true');
    const other = await open('viewer', '/');
    await page.getByRole('button', { name: 'Run fleet' }).click();
    await page.getByRole('heading', { name: 'Fleet run' }).waitFor();
    await page.getByRole('progressbar', { name: 'vehicles: reading' }).waitFor();
    const card = other.getByRole('region', { name: 'Running now' });
    await card.getByText('10 rows').first().waitFor();
    await card.getByRole('progressbar', { name: 'vehicles: reading' }).waitFor();
    stalled.release();
    await page.getByRole('main').getByText('completed').first().waitFor();
    await page.getByRole('row', { name: /vehicles completed 10 – – 10/ }).waitFor();
    await page.getByText('preferred days').first().waitFor();
    await card.waitFor({ state: 'detached' });
    await other.getByRole('row', { name: /Fleet .* completed/ }).waitFor();
    expect(await page.evaluate('window.stillThere')).toBe(true);
  });

  test('shows its workflow in the Web UI of Temporal only when there is one', async () => {
    const page = await open('viewer', '/runs');
    await page.getByRole('table', { name: 'Runs' }).getByRole('link').first().click();
    await page.getByRole('heading', { name: 'Fleet run' }).waitFor();
    expect(await page.getByRole('link', { name: 'Temporal' }).count()).toBe(0);
  });

  test('is cancelled, after a question, with a reason', async () => {
    const stalled = stalledAnswer(vehicleFile(10), 2);
    exports.answer(VEHICLES, stalled.answer);
    const page = await open('operator', '/');
    await page.getByRole('button', { name: 'Run fleet' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('dialog').getByLabel('Reason').fill('wrong day');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Asked to stop.').waitFor();
    await page.getByRole('main').getByText('cancelled', { exact: true }).first().waitFor();
    await page.getByText('wrong day').waitFor();
    stalled.release();
  });
});

describe('what a run would do', () => {
  test('a plan shows counts, new rows and the columns that differ, and merges nothing', async () => {
    exports.answer(
      VEHICLES,
      vehicleFile(10).replace(vehicleLine(3), vehicleLine(3, 'Red')) + `${vehicleLine(11)}\n`,
    );
    const page = await open('operator', '/');
    await page.getByRole('button', { name: 'Plan fleet' }).click();
    await page.getByRole('heading', { name: 'Fleet plan' }).waitFor();
    await page.getByText('Nothing was merged').waitFor();
    const card = page.getByRole('group').filter({ hasText: 'vehicles' });
    await card.getByText('+1 new').click();
    await card.getByRole('row', { name: 'VIN0003 color Black Red' }).waitFor();
    await card.getByRole('region', { name: 'New rows' }).getByText('VIN0011').waitFor();
    expect(await rows('SELECT count(*)::int AS n FROM vehicles')).toEqual([{ n: 10 }]);
  });

  test.each([
    ['Reject', 'the export was cut', 'rejected', 10],
    ['Approve', 'they are sold', 'completed', 4],
  ])('a held run waits on the overview until somebody says %s', async (verb, reason, ended, left) => {
    exports.answer(VEHICLES, vehicleFile(4));
    const page = await open('operator', '/');
    await page.getByRole('button', { name: 'Run fleet' }).click();
    await page.getByRole('main').getByText('held', { exact: true }).first().waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    const waiting = page.getByRole('region', { name: 'Needs your decision' });
    await waiting.getByText('6 of 10 live rows').waitFor();
    await waiting.getByRole('link', { name: 'Look and decide' }).click();
    await page.getByRole('region', { name: 'Missing rows' }).getByText('VIN0010').waitFor();
    await page.getByRole('button', { name: verb }).click();
    await page.getByRole('dialog').getByLabel('Reason').fill(reason);
    await page.getByRole('dialog').getByRole('button', { name: verb }).click();
    await page.locator('.page-title').getByText(ended, { exact: true }).waitFor();
    await page.getByRole('region', { name: 'Decisions' }).getByText(reason).waitFor();
    expect(await rows('SELECT count(*)::int AS n FROM vehicles')).toEqual([{ n: left }]);
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('table', { name: 'Syncs' }).waitFor();
    expect(await waiting.count()).toBe(0);
  });
});

describe('the history', () => {
  test('is filtered in the address, and the back button goes back', async () => {
    const page = await open('viewer', '/runs');
    await page.getByLabel('Status').selectOption('cancelled');
    const cancelled = page.getByRole('row', { name: /^Fleet manual by operator cancelled/ });
    await cancelled.waitFor();
    expect(page.url()).toContain('status=cancelled');
    expect(await page.getByRole('table').getByRole('link').count()).toBe(1);
    await page.getByRole('table').getByRole('link').click();
    await page.getByText('wrong day').waitFor();
    await page.goBack();
    await cancelled.waitFor();
    await page.getByLabel('Kind').selectOption('undo');
    await page.getByText('No run is like that').waitFor();
  });

  test('of one sync is drawn over time', async () => {
    const page = await open('viewer', '/syncs/fleet');
    await page.getByRole('img', { name: /^Duration of the last \d runs/ }).waitFor();
    await page.getByRole('img', { name: /^Rows of the last/ }).waitFor();
    await page.getByRole('img', { name: /^Quarantined of the last/ }).waitFor();
    expect(await page.locator('canvas').count()).toBe(3);
    await page.getByRole('cell', { name: /fleet-nightly/ }).waitFor();
  });
});

test('a row that could not be taken is shown with why and with its text', async () => {
  exports.answer(VEHICLES, `${vehicleFile(4)}${vehicleLine(5).replace('2025', 'soon')}\n`);
  const page = await open('operator', '/');
  await page.getByRole('button', { name: 'Run fleet' }).click();
  await page.getByRole('region', { name: 'Quarantine' }).getByText('line 5').waitFor();
  await page.getByRole('link', { name: 'Quarantine', exact: true }).click();
  await page.getByText("The row's own text").first().click();
  await page.getByText('5,soon,Audi').waitFor();
  await page.getByLabel('Table').selectOption('budgets');
  await page.getByText('No row is in quarantine').waitFor();
});

test('a run is undone, after what that means was shown', async () => {
  const changed = vehicleFile(4).replace(vehicleLine(2), vehicleLine(2, 'Red'));
  exports.answer(VEHICLES, `${changed}${vehicleLine(20)}\n`);
  const page = await open('operator', '/');
  await page.getByRole('button', { name: 'Run fleet' }).click();
  await page.locator('.page-title').getByText('completed', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('vehicles 1 go, 1 are again as they were').waitFor();
  await page.getByRole('dialog').getByLabel('Reason').fill('the export was of yesterday');
  await page.getByRole('dialog').getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('heading', { name: 'Fleet undo' }).waitFor();
  await page.locator('.page-title').getByText('completed', { exact: true }).waitFor();
  expect(await rows(`SELECT count(*)::int AS n FROM vehicles WHERE color = 'Red'`)).toEqual([{ n: 0 }]);
});

test('a schedule is paused with a reason, resumed, and run now', async () => {
  const page = await open('operator', '/schedules');
  await page.getByRole('button', { name: 'Pause fleet-nightly' }).click();
  await page.getByRole('dialog').getByLabel('Reason').fill('exports are being moved');
  await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
  await page.getByText('Paused by token:operator: exports are being moved').waitFor();
  await page.getByRole('button', { name: 'Resume fleet-nightly' }).click();
  await page.getByText('fleet-nightly runs again.').waitFor();
  exports.answer(VEHICLES, vehicleFile(4));
  await page.getByRole('button', { name: 'Run now fleet-nightly' }).click();
  await page.getByRole('row', { name: /^Fleet schedule / }).waitFor();
});

test('a client is synced now, paused with a reason, resumed, and its frequency changed', async () => {
  shopify.shops.set('acme.myshopify.com', emptyShop({ accessToken: 'shpat_test' }));
  const admin = { token: api.tokens.admin };
  await api.call('POST /api/clients', { ...admin, body: { client_id: 'acme', name: 'Acme' } });
  await api.call('POST /api/clients/acme/credentials', {
    ...admin,
    body: {
      platform_type: 'shopify',
      connection_name: 'main',
      credentials: { shop_domain: 'acme.myshopify.com', access_token: 'shpat_test' },
      sync_frequency_hours: 12,
    },
  });
  const page = await open('operator', '/clients');
  await page.getByRole('button', { name: 'Sync now acme' }).click();
  await page.getByRole('row', { name: /Acme.*connected/ }).waitFor();
  await page.getByRole('link', { name: 'Acme' }).click();
  await page.getByRole('table', { name: 'Last runs' }).getByText('completed').waitFor();
  await page.getByRole('button', { name: 'Pause acme' }).click();
  await page.getByRole('dialog').getByLabel('Reason').fill('the shop moves');
  await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
  await page.getByText('the shop moves').waitFor();
  await page.getByRole('button', { name: 'Resume acme' }).click();
  await page.getByRole('button', { name: 'Sync now acme' }).waitFor();
  await page.getByLabel(/between two syncs of main/).fill('6');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Its shopify shop syncs every 6 h.').waitFor();
});

test('health lists every check, the worst first', async () => {
  const page = await open('viewer', '/health');
  await page.getByRole('table', { name: 'Checks' }).getByRole('row').nth(2).waitFor();
  await page.getByRole('cell', { name: /PostgreSQL answers/ }).waitFor();
});

test('a file is checked and shown, and only then loaded; bad rows say what to do', async () => {
  const head =
    '#,Date,Customer Name,Contact,Function Date,Staff,Status,Category,Sub Category,Repeat count,Remarks';
  const text = `${head}\n1,01-11-2026,Ann,9876543210,,Raj,Walk-in,,,,\n2,02-11-2026,Bob,12,,Raj,Walk-in,,,,\n`;
  const page = await open('operator', '/uploads');
  await page.getByLabel('Kind').selectOption('walk-ins');
  await page.getByLabel('Store').fill('Suitor Guy - Kottayam');
  await page.locator('input[type=file]').setInputFiles({
    name: 'november.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(text),
  });
  await page.getByText('1 of 2 rows cannot be taken').waitFor();
  await page.getByRole('row', { name: /row 3/ }).waitFor();
  expect(await rows('SELECT count(*)::int AS n FROM rentals.leads')).toEqual([{ n: 0 }]);
  await page.getByRole('button', { name: 'Load 1 row' }).click();
  await page.getByRole('heading', { name: 'Rentals import' }).waitFor();
  await page.locator('.page-title').getByText('completed', { exact: true }).waitFor();
  expect(await rows('SELECT name FROM rentals.leads')).toEqual([{ name: 'Ann' }]);
});

test('the audit says who did what, by whom and about what', async () => {
  const page = await open('viewer', '/audit');
  await page
    .getByRole('row', { name: /operator.*pause schedule.*fleet-nightly/ })
    .first()
    .waitFor();
});

test('a backup is started, and what there is to restore is said', async () => {
  const page = await open('operator', '/backups');
  await page.getByRole('heading', { name: 'Backups' }).waitFor();
  await page.getByRole('button', { name: 'Back up now' }).click();
  await page.getByText('The backup is being made').waitFor();
});

test('who only looks finds no button that changes anything', async () => {
  const id = await newestRun('completed');
  const page = await open('viewer', '/');
  for (const address of ['/', '/clients', '/clients/acme', '/schedules', '/syncs/fleet', `/runs/${id}`]) {
    await page.goto(address);
    await page.getByRole('main').getByRole('table').first().waitFor();
    expect(await page.getByRole('main').getByRole('button').count(), address).toBe(0);
  }
});

test('a change that is refused says why and what to do', async () => {
  const page = await open('operator', '/schedules');
  await page.getByRole('button', { name: 'Pause cars-six-hourly' }).waitFor({ state: 'detached' });
  const id = await newestRun('completed');
  await page.route('**/api/syncs/fleet/runs', async (route) => {
    await route.fulfill({ status: 429, json: { title: 'Too many requests', detail: 'Try again in 3 s.' } });
  });
  await page.goto(`/runs/${id}`);
  await page.getByRole('button', { name: 'Run fleet' }).click();
  await page.getByText('Too many requests. Try again in 3 s.').waitFor();
});

/** Every page, with something on it; HELD, RUN and PLAN stand for runs. */
const PAGES = [
  '/',
  '/runs',
  '/runs/HELD',
  '/runs/RUN',
  '/runs/PLAN',
  '/syncs/fleet',
  '/clients',
  '/clients/acme',
  '/quarantine',
  '/schedules',
  '/health',
  '/uploads',
  '/backups',
  '/audit',
  '/runs/nothing',
];

async function addressesOf(): Promise<string[]> {
  exports.answer(VEHICLES, vehicleFile(1));
  const { body } = await api.call('POST /api/syncs/fleet/runs?wait=true');
  const ids = {
    HELD: String(body['run_id']),
    RUN: await newestRun('completed'),
    PLAN: await newestRun('planned'),
  };
  return PAGES.map((page) => page.replace(/HELD|RUN|PLAN/, (name) => ids[name as keyof typeof ids]));
}

test('every page fits from 360 px to wide, and axe finds nothing wrong with it in light and dark', async () => {
  const addresses = await addressesOf();
  const looks = [
    { colorScheme: 'light', width: 1280 },
    { colorScheme: 'dark', width: 360 },
  ] as const;
  const found: string[] = [];
  await Promise.all(
    looks.map(async (look) => {
      const page = await open('admin', '/', look);
      for (const address of addresses) {
        await page.goto(address);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.getByText('Loading…').waitFor({ state: 'detached' });
        found.push(...(await axe(page)).map((each) => `${address} ${look.colorScheme} ${each}`));
        await expectFits(page);
      }
      await page.context().clearCookies();
      await page.goto('/login');
      await page.getByLabel('Token').waitFor();
      found.push(...(await axe(page)).map((each) => `login ${look.colorScheme} ${each}`));
      await expectFits(page);
    }),
  );
  expect(found).toEqual([]);
}, 120_000);

test('everything can be reached with the keyboard, and a dialog gives the focus back', async () => {
  const page = await open('operator', '/schedules');
  await page.getByRole('button', { name: 'Pause fleet-nightly' }).waitFor();
  await page.keyboard.press('Tab');
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
  await page.getByRole('link', { name: 'Runs' }).click();
  await page.getByRole('heading', { name: 'Runs' }).waitFor();
  expect(await page.evaluate('document.activeElement.tagName')).toBe('H1');
  await page.goBack();
  await page.getByRole('button', { name: 'Pause fleet-nightly' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Pause fleet-nightly?' }).waitFor();
  expect(await axe(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).toBe(
    'Pause fleet-nightly',
  );
});

test('no page asked anybody else for anything, broke its policy or threw', () => {
  const expected = /401|404|429/;
  expect(complaints.filter((text) => !expected.test(text))).toEqual([]);
});

test('all of it is small', async () => {
  const page = await (await fetch(`${api.url}/`)).text();
  const assets = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? '');
  expect(assets.length).toBeGreaterThan(2);
  const sizes = await Promise.all(
    ['/', ...assets].map(async (path) => {
      const { status, headers } = await fetch(api.url + path, { method: 'GET' });
      expect(status, path).toBe(200);
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      return headers.get('content-encoding') === 'gzip' ? Number(headers.get('content-length')) : Number.NaN;
    }),
  );
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000);
});
