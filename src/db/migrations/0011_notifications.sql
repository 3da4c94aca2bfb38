-- What is wrong now; a row goes when it is over.
CREATE TABLE durasync.open_causes (
  cause text PRIMARY KEY,
  kind text NOT NULL,
  -- What of it is wrong, such as the tables that failed: people hear of it again when another one joins.
  parts text[] NOT NULL DEFAULT '{}',
  raised_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What people are told, written in the transaction of what happened.
CREATE TABLE durasync.notifications (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  cause text NOT NULL,
  kind text NOT NULL,
  event text NOT NULL CHECK (event IN ('raised', 'changed', 'resolved', 'told')),
  title text NOT NULL,
  body text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- When it was handed to the channels there were then.
  dispatched_at timestamptz
);
CREATE INDEX notifications_to_dispatch ON durasync.notifications (id) WHERE dispatched_at IS NULL;
CREATE INDEX notifications_by_cause ON durasync.notifications (cause, id);

-- One row for each notification and channel: Slack, and each address of ALERT_EMAIL.
CREATE TABLE durasync.notification_deliveries (
  notification_id bigint NOT NULL REFERENCES durasync.notifications ON DELETE CASCADE,
  channel text NOT NULL,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'sent', 'failed')),
  -- Counts what was begun. Whoever settles a delivery names the attempt, so that an earlier one changes nothing.
  attempts integer NOT NULL DEFAULT 0,
  -- The next attempt; while one is under way, when it counts as lost.
  due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz,
  error_message text,
  PRIMARY KEY (notification_id, channel)
);
CREATE INDEX notification_deliveries_pending ON durasync.notification_deliveries (due_at) WHERE status = 'pending';

-- Since when each sync has been on without a break, so that one which was just turned on is not late at once.
CREATE TABLE durasync.watched_syncs (
  sync text PRIMARY KEY,
  since timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What the hourly health check found last.
CREATE TABLE durasync.health_report (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  checked_at timestamptz NOT NULL,
  status text NOT NULL CHECK (status IN ('healthy', 'warning', 'error')),
  checks jsonb NOT NULL
);

-- Totals of ended runs. They outlive the rows that they were counted from, so that they only ever grow.
CREATE TABLE durasync.run_totals (
  sync text NOT NULL,
  outcome text NOT NULL,
  runs bigint NOT NULL DEFAULT 0,
  seconds double precision NOT NULL DEFAULT 0,
  -- How many took at most so long; the bounds are those of `DURATION_BOUNDS`.
  buckets bigint[] NOT NULL,
  last_ended_at timestamptz NOT NULL,
  PRIMARY KEY (sync, outcome)
);
CREATE TABLE durasync.row_totals (
  sync text NOT NULL,
  table_name text NOT NULL,
  outcome text NOT NULL,
  rows bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (sync, table_name, outcome)
);
CREATE INDEX quarantined_rows_unresolved ON durasync.quarantined_rows (sync, table_name) WHERE resolved_at IS NULL;
