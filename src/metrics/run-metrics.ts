import { sql } from 'kysely';
import type { Db } from '../db/connect.ts';
import { DURATION_BOUNDS } from '../db/run-totals.ts';
import type { Metric, Sample } from './text.ts';

interface RunTotal {
  readonly sync: string;
  readonly outcome: string;
  readonly runs: number;
  readonly seconds: number;
  readonly buckets: readonly number[];
  readonly last_ended_at: Date;
}

/** What PostgreSQL knows of runs, rows, quarantine and notifications: the same whichever process is asked, and after restarts. */
export async function readRunMetrics(db: Db): Promise<Metric[]> {
  const [totals, rows, open, quarantined, notifications, causes] = await Promise.all([
    sql<RunTotal>`SELECT sync, outcome, runs, seconds, buckets, last_ended_at FROM durasync.run_totals
                  ORDER BY sync, outcome`.execute(db),
    read(
      db,
      sql`SELECT sync, table_name AS "table", outcome, rows AS value FROM durasync.row_totals ORDER BY 1, 2, 3`,
    ),
    read(
      db,
      sql`SELECT sync, status, count(*) AS value FROM durasync.sync_runs
                 WHERE status IN ('running', 'held') GROUP BY 1, 2 ORDER BY 1, 2`,
    ),
    read(
      db,
      sql`SELECT sync, table_name AS "table", count(*) AS value FROM durasync.quarantined_rows
                 WHERE resolved_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2`,
    ),
    read(
      db,
      sql`SELECT split_part(channel, ':', 1) AS channel, status, count(*) AS value
                 FROM durasync.notification_deliveries WHERE status <> 'sent' GROUP BY 1, 2 ORDER BY 1, 2`,
    ),
    read(db, sql`SELECT kind, count(*) AS value FROM durasync.open_causes GROUP BY 1 ORDER BY 1`),
  ]);
  return [
    {
      name: 'durasync_runs_total',
      help: 'Runs that have ended, by sync and outcome.',
      type: 'counter',
      samples: totals.rows.map(({ sync, outcome, runs }) => ({ labels: { sync, outcome }, value: runs })),
    },
    {
      name: 'durasync_run_duration_seconds',
      help: 'How long runs took.',
      type: 'histogram',
      samples: totals.rows.flatMap(histogram),
    },
    {
      name: 'durasync_last_ended_timestamp_seconds',
      help: 'When the last run with this outcome ended.',
      type: 'gauge',
      samples: totals.rows.map(({ sync, outcome, last_ended_at: at }) => ({
        labels: { sync, outcome },
        value: at.getTime() / 1_000,
      })),
    },
    {
      name: 'durasync_rows_total',
      help: 'Rows of runs that have ended, by table and what became of them.',
      type: 'counter',
      samples: rows,
    },
    { name: 'durasync_runs_open', help: 'Runs that are under way or held.', type: 'gauge', samples: open },
    {
      name: 'durasync_quarantined_rows',
      help: 'Rows in quarantine that nobody has corrected yet.',
      type: 'gauge',
      samples: quarantined,
    },
    {
      name: 'durasync_notifications_unsent',
      help: 'Notifications that wait for another attempt or were refused.',
      type: 'gauge',
      samples: notifications,
    },
    { name: 'durasync_open_causes', help: 'What is wrong now, by kind.', type: 'gauge', samples: causes },
  ];
}

function histogram({ sync, outcome, runs, seconds, buckets }: RunTotal): Sample[] {
  const labels = { sync, outcome };
  return [
    ...DURATION_BOUNDS.map((bound, index) => ({
      suffix: '_bucket',
      labels: { ...labels, le: String(bound) },
      value: buckets[index] ?? 0,
    })),
    { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: runs },
    { suffix: '_sum', labels, value: seconds },
    { suffix: '_count', labels, value: runs },
  ];
}

/** Rows of `value` and labels. */
async function read(db: Db, query: ReturnType<typeof sql>): Promise<Sample[]> {
  const { rows } = await query.execute(db);
  return (rows as Record<string, string | number>[]).map(({ value, ...labels }) => ({
    labels: labels as Record<string, string>,
    value: Number(value),
  }));
}
