import pg from 'pg';
import { waitUntil } from './wait-until.ts';

/** Holds a statement of the product in the middle, deterministically. */
export interface HoldPoint {
  /** Resolves once something waits for this hold. */
  reached(): Promise<void>;
  /** Lets it go on. Safe to repeat. */
  release(): Promise<void>;
}

interface Session {
  readonly client: pg.Client;
  readonly pid: number;
  readonly point: HoldPoint;
}

/** A session of its own; whoever waits for one of its locks has reached the hold. */
async function openHold(databaseUrl: string): Promise<Session> {
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  const observer = new pg.Client({ connectionString: databaseUrl });
  observer.on('error', () => undefined);
  await observer.connect();
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const pid = rows[0]?.pid ?? 0;
  let released = false;
  return {
    client,
    pid,
    point: {
      reached: () =>
        waitUntil('a statement waits for the hold', async () => {
          const waiting = await observer.query(
            `SELECT 1 FROM pg_stat_activity WHERE $1::int = ANY (pg_blocking_pids(pid))`,
            [pid],
          );
          return waiting.rowCount !== 0;
        }),
      release: async () => {
        if (released) return;
        released = true;
        await Promise.all([client.end(), observer.end()]);
      },
    },
  };
}

/**
 * Holds every statement that does this to a row.
 *
 * @param event such as 'AFTER INSERT ON fleet.vehicles'
 * @param when restricts it to some rows, such as `NEW.vin = 'VIN0001'`
 */
export async function holdRows(databaseUrl: string, event: string, when = 'true'): Promise<HoldPoint> {
  const { client, pid, point } = await openHold(databaseUrl);
  const name = `public.wait_for_${pid}`;
  await client.query(`
    CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock_shared(${pid});
      RETURN coalesce(NEW, OLD);
    END $$;
    CREATE TRIGGER wait_for_test ${event} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION ${name}()`);
  await client.query(`SELECT pg_advisory_lock(${pid})`);
  return point;
}

/** Holds everybody who reads or writes the relation. */
export async function holdTable(databaseUrl: string, table: string): Promise<HoldPoint> {
  const { client, point } = await openHold(databaseUrl);
  await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  return point;
}

/**
 * Holds whoever wants to change a live table after the one that is changing it now: `next` queues up for the
 * state's row, and has it as soon as that transaction ends.
 */
export async function holdState(
  databaseUrl: string,
  table: string,
): Promise<HoldPoint & { readonly next: Promise<unknown> }> {
  const { client, point } = await openHold(databaseUrl);
  await client.query('BEGIN');
  const next = client.query(
    `SELECT 1 FROM durasync.table_state WHERE sync = 'fleet' AND table_name = $1 FOR UPDATE`,
    [table],
  );
  next.catch(() => undefined);
  return { ...point, next };
}
