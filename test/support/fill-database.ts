import { randomUUID } from 'node:crypto';
import { makeClientView } from '../../src/db/client-views.ts';
import type { TestDatabase } from './engines.ts';
import { TEST_KEYS } from './test-keys.ts';

/** A client whose id doesn't go into a view's name as it is, and two ordinary ones. */
export const CLIENTS = [
  { id: 'acme', view: 'client_acme_data' },
  { id: 'Über:1'.replace('Ü', 'U'), view: 'client_uber_1_0a1b2c_data' },
  { id: 'quiet', view: null },
] as const;

/** Rows in every schema: wide ones, nulls, every kind of type, long texts, a sealed secret, clients with views. */
export async function fillDatabase({ db, pool }: TestDatabase): Promise<void> {
  await pool.query(`
    INSERT INTO durasync.sync_runs (run_id, kind, sync, workflow_id, trigger, logical_at, status, completed_at)
    SELECT '00000000-0000-4000-8000-' || lpad(n::text, 12, '0'), 'sync', CASE n % 2 WHEN 0 THEN 'cars' ELSE 'fleet' END,
           'test/' || n, 'manual', now(), 'completed', now() FROM generate_series(1, 20) n;
    INSERT INTO durasync.sync_run_tables (run_id, table_name, status)
    SELECT run_id, 'vehicles', 'completed' FROM durasync.sync_runs;
    INSERT INTO durasync.quarantined_rows (run_id, sync, table_name, position, raw, reasons, unreadable)
    SELECT run_id, 'fleet', 'vehicles', 1, E'a\\tb\\nc"''\\\\ ÄÖ €', '["bad"]', false FROM durasync.sync_runs;
    INSERT INTO durasync.audit_log (actor, action, subject) VALUES ('cli:test', 'run', 'fleet');
    INSERT INTO fleet.vehicles (vin, make, model, office, year, notes, registration_exp)
    SELECT 'VIN' || n, 'VOLKSWAGEN', repeat('x', n % 500), 'Los Angeles', n, CASE WHEN n % 3 = 0 THEN NULL ELSE '€' END,
           date '2026-01-01' + n FROM generate_series(1, 5000) n;
    INSERT INTO rentals.leads (lead_type, store, phone, name, price)
    SELECT 'return', 'Edappally', lpad(n::text, 10, '0'), 'Person ' || n, n + 0.25 FROM generate_series(1, 300) n;
    DELETE FROM rentals.leads WHERE lead_id > 290;
    INSERT INTO cars.cars (source, external_id, images, status, issues, payload, content_hash, seen_at)
    SELECT 'auctions', n::text, '[]', 'active', '[]', jsonb_build_object('n', n), 'h', now() FROM generate_series(1, 50) n;
    INSERT INTO durasync.geocode_cache (geocoder, address, status, latitude) VALUES ('google', 'A', 'OK', 'NaN');
    INSERT INTO durasync.rate_buckets (key, tokens, updated_at) VALUES ('not kept', 1, now())`);
  for (const { id, view } of CLIENTS) {
    await pool.query('INSERT INTO commerce.clients (client_id, name, view_name) VALUES ($1, $1, $2)', [
      id,
      view ?? `client_${id}_data`,
    ]);
    const credential = randomUUID();
    await pool.query(
      `INSERT INTO commerce.client_api_credentials
         (credential_id, client_id, platform_type, connection_name, credentials, next_sync_at, due_at)
       VALUES ($1, $2, 'shopify', 'main', $3, now(), now())`,
      [credential, id, TEST_KEYS.seal('{"access_token":"secret"}', credential)],
    );
    await pool.query(
      `INSERT INTO commerce.client_data (client_id, platform, data_type, external_id, payload, content_hash)
       SELECT $1, 'shopify', 'orders', n::text, jsonb_build_object('n', n), 'h' FROM generate_series(1, 40) n`,
      [id],
    );
    if (view !== null) await makeClientView(db, id, view);
  }
}
