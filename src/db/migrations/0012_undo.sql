-- What a run found in rows that it then changed, so that it can be undone. Rows that it inserted carry its id in
-- first_run_id, and rows that it archived are in the archive as they were, so neither is copied here.
CREATE TABLE durasync.row_changes (
  run_id text NOT NULL,
  table_name text NOT NULL,
  -- inserted: only of rows with columns that a source fills once and people write from then on; `before` has those.
  change text NOT NULL CHECK (change IN ('updated', 'restored', 'inserted')),
  before jsonb NOT NULL
);
CREATE INDEX row_changes_by_run ON durasync.row_changes (run_id, table_name);

-- A foreign key would look the run up again for each row that a merge writes.
CREATE FUNCTION durasync.forget_row_changes() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  DELETE FROM durasync.row_changes WHERE run_id = OLD.run_id;
  RETURN NULL;
END $$;
CREATE TRIGGER forget_row_changes AFTER DELETE ON durasync.sync_runs
  FOR EACH ROW EXECUTE FUNCTION durasync.forget_row_changes();

-- Where a watermark stood before a run moved it; null where there was none.
CREATE TABLE durasync.watermark_changes (
  run_id text NOT NULL REFERENCES durasync.sync_runs ON DELETE CASCADE,
  sync text NOT NULL,
  scope text NOT NULL,
  name text NOT NULL,
  before_value text,
  before_run_id text,
  PRIMARY KEY (run_id, sync, scope, name)
);

-- Which snapshot a live table showed before this run merged.
ALTER TABLE durasync.sync_run_tables
  ADD COLUMN before_run_id text,
  ADD COLUMN before_fetched_at timestamptz;

CREATE INDEX audit_log_by_subject ON durasync.audit_log (subject);

-- What a file is for, so that one that was looked at first can be loaded later.
ALTER TABLE durasync.uploads ADD COLUMN kind text;

CREATE TABLE fleet.ops_capacity (
  office text PRIMARY KEY,
  drivers_per_day integer,
  notes text,
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  first_run_id text,
  last_run_id text
);

CREATE TABLE fleet.holiday_blackout_dates (
  office text,
  date date,
  holiday_name text,
  type text,
  all_day boolean,
  start_time time,
  end_time time,
  notes text,
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  first_run_id text,
  last_run_id text,
  PRIMARY KEY (office, date, holiday_name)
);

CREATE TABLE fleet.rules (
  make text,
  rank text,
  loan_cap_per_year integer,
  pub_rate_requirement text,
  cooldown_period text,
  soft_vs_hard_constraint text,
  rule_description text,
  notes text,
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  first_run_id text,
  last_run_id text,
  PRIMARY KEY (make, rank)
);
