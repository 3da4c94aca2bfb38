import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { SyncFailure } from '../../domain/failures.ts';
import type { Target } from './inspect-target.ts';
import { quoted } from './list-relations.ts';
import { openClient } from './snapshot.ts';

const POLL_MS = 20;
const NAME_MAX_BYTES = 63;

/**
 * Gives a finished database the name of the target, in one transaction: who connects a moment before has the old
 * database, a moment after the new one. Connections to the old one are ended, so that pools find the new one.
 *
 * @returns the name that the old database has now; null when there was none
 * @throws SyncFailure RestoreRefused when a run is open
 */
export async function takePlace(target: Target, replacement: string, now: Date): Promise<string | null> {
  const admin = await openClient(target.adminUrl, 'durasync restore');
  try {
    await copyDatabaseRights(admin, target.name, replacement);
    if (!target.exists) {
      await admin.query(`ALTER DATABASE ${quoted(replacement)} RENAME TO ${quoted(target.name)}`);
      return null;
    }
    const aside = nameAside(target.name, now);
    await exchange(admin, target, replacement, aside);
    return aside;
  } finally {
    await admin.end();
  }
}

function nameAside(name: string, now: Date): string {
  const suffix = `_before_${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_')}`;
  return (
    Buffer.from(name)
      .subarray(0, NAME_MAX_BYTES - suffix.length)
      .toString() + suffix
  );
}

async function exchange(admin: pg.Client, target: Target, replacement: string, aside: string): Promise<void> {
  const guard = await openClient(target.databaseUrl, 'durasync restore');
  const watcher = await openClient(target.adminUrl, 'durasync restore');
  try {
    await lockRuns(guard);
    await admin.query('BEGIN');
    // Holds everybody off who wants to connect, and waits up to five seconds for those who are there to leave.
    const renamed = admin.query(`ALTER DATABASE ${quoted(target.name)} RENAME TO ${quoted(aside)}`);
    await Promise.race([renamed, emptyOut(watcher, target.name, guard).then(() => renamed)]);
    await admin.query(`ALTER DATABASE ${quoted(replacement)} RENAME TO ${quoted(target.name)}`);
    await admin.query('COMMIT');
  } catch (error) {
    await admin.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    await Promise.all([guard.end().catch(() => undefined), watcher.end()]);
  }
}

/** From here on no run can begin. @throws SyncFailure RestoreRefused */
async function lockRuns(guard: pg.Client): Promise<void> {
  await guard.query(`BEGIN; SET LOCAL lock_timeout = '20s'`);
  const { rows } = await guard.query<{ found: boolean }>(
    `SELECT to_regclass('durasync.sync_runs') IS NOT NULL AS found`,
  );
  if (!rows[0]?.found) return;
  await guard.query('LOCK TABLE durasync.sync_runs IN ACCESS EXCLUSIVE MODE');
  await refuseOpenRuns(guard);
}

/** @throws SyncFailure RestoreRefused when a run of the database is open */
export async function refuseOpenRuns(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ sync: string; run_id: string }>(
    `SELECT sync, run_id FROM durasync.sync_runs WHERE status = 'running' ORDER BY started_at`,
  );
  const [first] = rows;
  if (!first) return;
  throw new SyncFailure(
    'RestoreRefused',
    `${rows.length === 1 ? 'A run is' : `${rows.length} runs are`} open in that database (${first.sync}, ${first.run_id}). ` +
      'Wait for the end, or `npx durasync runs cancel ID`; pause the schedules with `npx durasync schedules pause ID`.',
  );
}

/** Ends every connection to a database once nobody can make new ones, that of the guard last. */
async function emptyOut(watcher: pg.Client, name: string, guard: pg.Client): Promise<void> {
  const { rows } = await guard.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  for (;;) {
    const answer = await watcher.query<{ closed: boolean; others: number }>(
      `SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.objid
                      WHERE d.datname = $1 AND l.classid = 'pg_database'::regclass
                        AND l.mode = 'AccessExclusiveLock' AND l.granted) AS closed,
              (SELECT count(pg_terminate_backend(pid))::integer FROM pg_stat_activity
               WHERE datname = $1 AND pid <> $2 AND backend_type = 'client backend') AS others`,
      [name, rows[0]?.pid],
    );
    const [state] = answer.rows;
    if (state?.closed && state.others === 0) break;
    await sleep(POLL_MS);
  }
  await guard.end();
}

/** Who may connect stays as it is. */
async function copyDatabaseRights(admin: pg.Client, from: string, to: string): Promise<void> {
  const { rows } = await admin.query<{ statement: string }>(
    `SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', $2::text) AS statement
     FROM pg_database WHERE datname = $1 AND datacl IS NOT NULL
     UNION ALL
     SELECT format('GRANT %s ON DATABASE %I TO %s', privilege_type, $2::text,
                   CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
     FROM pg_database, aclexplode(datacl) WHERE datname = $1`,
    [from, to],
  );
  for (const { statement } of rows) await admin.query(statement);
}
