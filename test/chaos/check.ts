import type pg from 'pg';

/** How each live table shows itself, in the words of `World.expected`. */
const LIVE: Readonly<Record<string, string>> = {
  vehicles: `SELECT vin || ' ' || color AS row FROM fleet.vehicles`,
  media_partners: `SELECT person_id || ' ' || address AS row FROM fleet.media_partners`,
  loan_history: 'SELECT activity_id AS row FROM fleet.loan_history',
  current_activity: 'SELECT activity_id AS row FROM fleet.current_activity',
  approved_makes: `SELECT person_id || ' ' || make || ' ' || rank AS row FROM fleet.approved_makes`,
  bookings: `SELECT booking_no AS row FROM rentals.leads WHERE lead_type = 'bookingconfirmation'`,
  returns: `SELECT booking_no AS row FROM rentals.leads WHERE lead_type = 'return'`,
  // A car that a full run no longer sees stays for a week, marked.
  cars: `SELECT CASE status WHEN 'archived' THEN 'gone: ' ELSE '' END || external_id || ' ' || listed_price::bigint AS row
         FROM cars.cars`,
  orders: `SELECT client_id || ' ' || external_id || ' ' || coalesce(payload->'tags'->>0, '') AS row
           FROM commerce.client_data WHERE data_type = 'orders'`,
  products: `SELECT client_id || ' ' || external_id AS row FROM commerce.client_data WHERE data_type = 'products'`,
  sales: `SELECT date || ' ' || user_id || ' ' || ordinal AS row FROM sales.sales`,
  customers: `SELECT client_id || ' ' || external_id AS row FROM commerce.client_data WHERE data_type = 'customers'`,
};

/** Rows that must not be there, each as a sentence. */
const NEVER: readonly string[] = [
  `SELECT format('run %s of %s is open', run_id, sync) AS found FROM durasync.sync_runs WHERE status = 'running'`,
  `SELECT format('run %s ended with table %s as %s', run_id, table_name, t.status) FROM durasync.sync_run_tables t
   JOIN durasync.sync_runs r USING (run_id) WHERE r.status <> 'running' AND t.status IN ('pending', 'running')`,
  `SELECT format('staging table %s is left', tablename) FROM pg_tables WHERE schemaname = 'durasync_staging'
   AND NOT EXISTS (SELECT FROM durasync.sync_runs WHERE status = 'held')`,
  `SELECT format('progress of %s of run %s is left', table_name, run_id) FROM durasync.staging_progress
   JOIN durasync.sync_runs USING (run_id) WHERE status <> 'held'`,
  `SELECT format('vehicle %s is live and archived', vin) FROM fleet.vehicles JOIN fleet.vehicles_archive USING (vin)`,
  `SELECT format('partner %s is live and archived', person_id) FROM fleet.media_partners
   JOIN fleet.media_partners_archive USING (person_id)`,
  `SELECT format('car %s is live and archived', external_id) FROM cars.cars JOIN cars.cars_archive USING (source, external_id)`,
  `SELECT format('lead %s is there %s times', booking_no, count(*)) FROM rentals.leads
   GROUP BY booking_no, lead_type HAVING count(*) > 1`,
  `SELECT format('sale %s of %s is live and archived', user_id, date) FROM sales.sales
   JOIN sales.sales_archive USING (date, user_id, product_name, quantity, unit_price, total_amount, region, ordinal)`,
  `SELECT format('log %s of cars is open', l.id) FROM cars.cars_sync_log l WHERE status = 'running'`,
  `SELECT format('watermark %s of %s is ahead of what run %s has merged', w.name, w.sync, w.run_id)
   FROM durasync.watermarks w LEFT JOIN durasync.sync_runs r USING (run_id)
   LEFT JOIN durasync.sync_run_tables t ON t.run_id = w.run_id AND t.table_name = split_part(w.name, '/', 1)
   WHERE w.name <> 'preferred_days' AND t.status IS DISTINCT FROM 'completed' OR (w.value LIKE '%T%' AND w.value::timestamptz > t.completed_at)
      OR (w.value NOT LIKE '%T%' AND w.value::date > r.logical_at::date + 1)`,
  `SELECT format('%s of %s was written by a run that is not known', count(*), 'vehicles') FROM fleet.vehicles v
   WHERE NOT EXISTS (SELECT FROM durasync.sync_runs r WHERE r.run_id = v.last_run_id) HAVING count(*) > 0`,
];

const PER_TABLE = `
  SELECT table_name, sum(inserted + restored - archived)::int AS rows
  FROM durasync.sync_run_tables JOIN durasync.sync_runs USING (run_id) WHERE kind = 'sync' GROUP BY table_name`;

/** What contradicts what must hold whenever no run is open, whatever the sources show by now. */
export async function findBroken(pool: pg.Pool): Promise<string[]> {
  const found: string[] = [];
  for (const query of NEVER) {
    const { rows } = await pool.query<Record<string, string>>(query);
    found.push(...rows.map((row) => String(Object.values(row)[0])));
  }
  const { rows: counted } = await pool.query<{ table_name: string; rows: number }>(PER_TABLE);
  for (const [table, query] of Object.entries(LIVE)) {
    const { rowCount } = await pool.query(query);
    const told = counted.find(({ table_name }) => table_name === table)?.rows ?? 0;
    if (told !== rowCount) found.push(`${table} has ${rowCount} rows, but the runs tell of ${told}`);
  }
  return found;
}

/** What differs between the live tables and what the sources say. */
export async function findDifferences(
  pool: pg.Pool,
  expected: Readonly<Record<string, readonly string[]>>,
): Promise<string[]> {
  const found: string[] = [];
  for (const [table, query] of Object.entries(LIVE)) {
    const { rows } = await pool.query<{ row: string }>(query);
    const live = rows.map(({ row }) => row).filter((row) => !row.startsWith('gone: '));
    const wanted = new Set(expected[table]);
    const known = new Set(live);
    if (known.size !== live.length) found.push(`${table}: ${live.length - known.size} rows are there twice`);
    const missing = [...wanted].filter((row) => !known.has(row));
    const surplus = [...known].filter((row) => !wanted.has(row));
    if (missing.length > 0) found.push(`${table}: missing ${missing.length}, such as '${missing[0]}'`);
    if (surplus.length > 0) found.push(`${table}: ${surplus.length} too many, such as '${surplus[0]}'`);
  }
  return found;
}
