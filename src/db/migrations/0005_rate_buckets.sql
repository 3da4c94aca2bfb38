-- Unlogged and half full: written with every call to a shop, and a bucket that a crash empties is only full again.
CREATE UNLOGGED TABLE durasync.rate_buckets (
  key text PRIMARY KEY,
  tokens double precision NOT NULL,
  updated_at timestamptz NOT NULL
) WITH (fillfactor = 50);
