-- Logins of the dashboard. Only hashes are kept: who reads the database can't use what is in it.
CREATE TABLE durasync.sessions (
  id_hash bytea PRIMARY KEY,
  -- Of the token that was logged in with. The session may do what the token may, and ends with it.
  token_hash bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_by_expiry ON durasync.sessions (expires_at);

-- Codes of login links. Each works once: using it deletes it.
CREATE TABLE durasync.login_codes (
  code_hash bytea PRIMARY KEY,
  token_hash bytea NOT NULL,
  expires_at timestamptz NOT NULL
);

-- The history over all syncs, newest first, and what waits for a decision.
CREATE INDEX sync_runs_newest ON durasync.sync_runs (started_at DESC);
CREATE INDEX sync_runs_held ON durasync.sync_runs (started_at) WHERE status = 'held';
CREATE INDEX quarantined_rows_newest ON durasync.quarantined_rows (created_at DESC, position);
