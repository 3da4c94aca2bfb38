import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, expect } from 'vitest';
import { SHARED_BUILDS } from '../../src/home/builds.ts';
import { openSession } from '../../src/db/sessions.ts';
import { hashToken, type Role } from '../../src/db/tokens.ts';
import { loadDashboard } from '../../src/http/dashboard-files.ts';
import { syncs } from '../../src/syncs/index.ts';
import { applySchedules } from '../../src/temporal/schedules.ts';
import { launchBrowser } from './browser.ts';
import { type CommerceHarness, startCommerceHarness } from './commerce-harness.ts';
import { type CsvServer, startCsvServer } from './csv-server.ts';
import { FLEET_PATHS } from './fleet-files.ts';
import { type HttpHarness, startHttpHarness } from './http-harness.ts';
import { answerFleet } from './sync-harness.ts';

export interface DashboardHarness extends CommerceHarness {
  readonly api: HttpHarness;
  readonly exports: CsvServer;
  /** A page of a browser of its own that is logged in; closed after the test. */
  open(role: Role, address: string, look?: Look): Promise<Page>;
  /** What browsers complained of so far: errors, refused by the policy, or asked of somebody else. */
  readonly complaints: readonly string[];
}

interface Look {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The dashboard on real engines with workers in this process, and a real browser. Call it at the top level of a file. */
export async function startDashboardHarness(): Promise<DashboardHarness> {
  const [commerce, exports, browser, dashboard] = await Promise.all([
    startCommerceHarness(),
    startCsvServer(),
    launchBrowser(),
    loadDashboard(SHARED_BUILDS, (message) => {
      throw new Error(message);
    }),
  ]);
  afterAll(() => browser.close());
  afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
  const { database, client, env, keys } = commerce;
  env['GEOCODE_QPS'] = '1000';
  for (const [setting, path] of Object.entries(FLEET_PATHS)) env[setting] = exports.url + path;
  answerFleet(exports);
  const api = await startHttpHarness({ database, client, env, keys, dashboard });
  await applySchedules({ client, syncs, env });
  const complaints: string[] = [];

  async function open(role: Role, address: string, look: Look = {}): Promise<Page> {
    const context = await browser.newContext({
      colorScheme: look.colorScheme ?? 'light',
      viewport: { width: look.width ?? 1280, height: 900 },
      reducedMotion: 'reduce',
      baseURL: api.url,
    });
    context.setDefaultTimeout(20_000);
    const { id } = await openSession(database.db, hashToken(api.tokens[role]));
    await context.addCookies([
      { name: `durasync_session_${new URL(api.url).port}`, value: id, url: api.url },
    ]);
    const page = await context.newPage();
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(api.url)) complaints.push(`asked ${request.url()}`);
    });
    await page.goto(address);
    return page;
  }

  return { ...commerce, api, exports, open, complaints };
}

/** What axe finds wrong with the page as it is now. */
export async function axe(page: Page): Promise<string[]> {
  // Not as a script element: the page's policy allows none but its own.
  await page.evaluate(AXE);
  const found = await page.evaluate<{ id: string; nodes: { html: string }[] }[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)`,
  );
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
}

/** Whether nothing of the page is cut off or has to be scrolled to sideways. */
export async function expectFits(page: Page): Promise<void> {
  const [content, window] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  );
  expect(content, page.url()).toBeLessThanOrEqual(window);
}
