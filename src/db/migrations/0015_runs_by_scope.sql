-- What one client's runs have done is found without going through those of all clients.
CREATE INDEX sync_runs_by_scope ON durasync.sync_runs (sync, (coalesce(scope, '')), started_at DESC);
