CREATE SCHEMA IF NOT EXISTS durasync;
CREATE SCHEMA IF NOT EXISTS durasync_staging;

CREATE TABLE durasync.sync_runs (
  run_id text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('sync', 'plan', 'import', 'replay', 'undo')),
  sync text NOT NULL,
  scope text,
  workflow_id text NOT NULL,
  trigger text NOT NULL CHECK (trigger IN ('schedule', 'manual', 'signal', 'backfill', 'first_start', 'upload')),
  triggered_by text,
  logical_at timestamptz NOT NULL,
  window_start date,
  window_end date,
  status text NOT NULL DEFAULT 'running' CHECK (status IN
    ('running', 'planned', 'held', 'completed', 'completed_with_errors', 'failed', 'rejected', 'cancelled', 'undone')),
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  completed_at timestamptz,
  total_tables integer NOT NULL DEFAULT 0,
  success_count integer NOT NULL DEFAULT 0,
  failure_count integer NOT NULL DEFAULT 0,
  total_rows_processed bigint NOT NULL DEFAULT 0,
  error_message text,
  metadata jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX sync_runs_by_sync ON durasync.sync_runs (sync, started_at DESC);
CREATE INDEX sync_runs_open ON durasync.sync_runs (started_at) WHERE status = 'running';

CREATE TABLE durasync.sync_run_tables (
  run_id text NOT NULL REFERENCES durasync.sync_runs ON DELETE CASCADE,
  table_name text NOT NULL,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN
    ('pending', 'running', 'completed', 'held', 'failed', 'skipped')),
  stage text,
  fetched bigint NOT NULL DEFAULT 0,
  staged bigint NOT NULL DEFAULT 0,
  quarantined bigint NOT NULL DEFAULT 0,
  duplicates bigint NOT NULL DEFAULT 0,
  inserted bigint NOT NULL DEFAULT 0,
  updated bigint NOT NULL DEFAULT 0,
  unchanged bigint NOT NULL DEFAULT 0,
  skipped bigint NOT NULL DEFAULT 0,
  archived bigint NOT NULL DEFAULT 0,
  restored bigint NOT NULL DEFAULT 0,
  merged_generation bigint,
  archived_generation bigint,
  review jsonb,
  started_at timestamptz,
  completed_at timestamptz,
  error_message text,
  PRIMARY KEY (run_id, table_name)
);
CREATE INDEX sync_run_tables_held ON durasync.sync_run_tables (table_name) WHERE status = 'held';

CREATE TABLE durasync.quarantined_rows (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id text NOT NULL REFERENCES durasync.sync_runs ON DELETE CASCADE,
  sync text NOT NULL,
  table_name text NOT NULL,
  position bigint NOT NULL,
  raw text NOT NULL,
  reasons jsonb NOT NULL,
  unreadable boolean NOT NULL,
  -- By column name, as the source gave them; null when the row is unreadable or they are longer than 4 kB.
  "values" jsonb,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- The replay that found the row valid; it resolves the row in the transaction that merges it.
  replay_run_id text,
  resolved_at timestamptz
);
CREATE INDEX quarantined_rows_by_run ON durasync.quarantined_rows (run_id, table_name, position);
CREATE INDEX quarantined_rows_by_replay ON durasync.quarantined_rows (replay_run_id) WHERE replay_run_id IS NOT NULL;

CREATE TABLE durasync.table_state (
  sync text NOT NULL,
  scope text NOT NULL DEFAULT '',
  table_name text NOT NULL,
  generation bigint NOT NULL DEFAULT 0,
  merged_run_id text,
  source_fetched_at timestamptz,
  drift jsonb NOT NULL DEFAULT '[]',
  PRIMARY KEY (sync, scope, table_name)
);

-- As durable as the staging tables it describes: a crash of the database empties both.
CREATE UNLOGGED TABLE durasync.staging_progress (
  run_id text NOT NULL,
  table_name text NOT NULL,
  attempt integer NOT NULL,
  relation text NOT NULL,
  fetch_started_at timestamptz NOT NULL,
  page integer NOT NULL DEFAULT 0,
  next_cursor text,
  fetched bigint NOT NULL DEFAULT 0,
  quarantined bigint NOT NULL DEFAULT 0,
  unreadable bigint NOT NULL DEFAULT 0,
  drift jsonb NOT NULL DEFAULT '[]',
  result jsonb,
  PRIMARY KEY (run_id, table_name)
);

CREATE TABLE durasync.watermarks (
  sync text NOT NULL,
  scope text NOT NULL DEFAULT '',
  name text NOT NULL,
  value text NOT NULL,
  run_id text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (sync, scope, name)
);

CREATE TABLE durasync.geocode_cache (
  geocoder text NOT NULL,
  address text NOT NULL,
  status text NOT NULL,
  latitude double precision,
  longitude double precision,
  place_id text,
  approximate boolean NOT NULL DEFAULT false,
  answered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Looked for by address first: an answer of another geocoder is better than none.
  PRIMARY KEY (address, geocoder)
);

CREATE TABLE durasync.audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  detail jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE durasync.api_tokens (
  id text PRIMARY KEY,
  role text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
  name text NOT NULL,
  token_hash bytea NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_used_at timestamptz,
  revoked_at timestamptz
);
-- Numbers of staging attempts. Logged, unlike the progress they fence: a crash of the database must not give the
-- number of an attempt that is still alive to another one.
CREATE SEQUENCE durasync.staging_attempts AS integer CYCLE;
