CREATE SCHEMA commerce;

CREATE TABLE commerce.clients (
  client_id text PRIMARY KEY CHECK (client_id ~ '^[A-Za-z0-9._:-]{1,128}$'),
  name text NOT NULL,
  active boolean NOT NULL DEFAULT true,
  view_name text NOT NULL UNIQUE,
  -- The newest change of a connection that its workflow has seen.
  applied_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE commerce.client_api_credentials (
  credential_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  client_id text NOT NULL REFERENCES commerce.clients ON DELETE CASCADE,
  platform_type text NOT NULL CHECK (platform_type IN ('shopify', 'amazon')),
  connection_name text NOT NULL,
  credentials text NOT NULL,
  sync_frequency_hours double precision NOT NULL DEFAULT 24 CHECK (sync_frequency_hours > 0),
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'connected', 'error', 'expired', 'revoked')),
  last_sync_at timestamptz,
  next_sync_at timestamptz NOT NULL,
  -- The grid of due times: forced runs and retries after a failure do not move it.
  due_at timestamptz NOT NULL,
  error_message text,
  paused boolean NOT NULL DEFAULT false,
  paused_reason text,
  -- A pause that followed from refused credentials ends with new ones; a person's does not.
  paused_by text CHECK (paused_by IN ('person', 'refusals')),
  -- Since when no run was let in because of its credentials, and after how many runs that were not forced.
  refused_since timestamptz,
  refusals integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (client_id, platform_type, connection_name)
);

-- Partitioned by hash, because a partition for each client locks the whole table when one is added and runs out
-- of lock memory near 7,000 clients.
CREATE TABLE commerce.client_data (
  client_id text NOT NULL,
  platform text NOT NULL,
  data_type text NOT NULL,
  external_id text NOT NULL,
  payload jsonb NOT NULL,
  source_updated_at timestamptz,
  content_hash text NOT NULL,
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  first_run_id text,
  last_run_id text,
  PRIMARY KEY (client_id, platform, data_type, external_id)
) PARTITION BY HASH (client_id);

DO $$ BEGIN
  FOR part IN 0..31 LOOP
    EXECUTE format(
      'CREATE TABLE commerce.client_data_%s PARTITION OF commerce.client_data FOR VALUES WITH (MODULUS 32, REMAINDER %s)',
      to_char(part, 'FM00'), part);
  END LOOP;
END $$;

CREATE TABLE commerce.client_api_sync_results (
  run_id text PRIMARY KEY,
  client_id text NOT NULL,
  credential_id uuid NOT NULL,
  platform_type text NOT NULL,
  connection_name text NOT NULL,
  records_fetched bigint NOT NULL,
  records_processed bigint NOT NULL,
  records_stored bigint NOT NULL,
  sync_duration_seconds double precision NOT NULL,
  success boolean NOT NULL,
  data_types_synced jsonb NOT NULL,
  sync_triggered_by text NOT NULL,
  error_message text,
  started_at timestamptz NOT NULL
);
CREATE INDEX client_api_sync_results_by_client ON commerce.client_api_sync_results (client_id, started_at DESC);

CREATE TABLE commerce.sku_cache (
  client_id text NOT NULL,
  platform text NOT NULL,
  sku_code text NOT NULL,
  item_name text,
  variant_title text,
  on_hand_inventory bigint NOT NULL,
  incoming_inventory bigint NOT NULL,
  outgoing_inventory bigint NOT NULL,
  current_availability bigint NOT NULL,
  unit_price numeric(14, 2),
  total_value numeric(18, 2),
  units_7d bigint NOT NULL,
  units_30d bigint NOT NULL,
  units_90d bigint NOT NULL,
  revenue_30d numeric(18, 2) NOT NULL,
  avg_daily_sales double precision NOT NULL,
  days_stock_remaining integer NOT NULL,
  computed_at timestamptz NOT NULL,
  PRIMARY KEY (client_id, platform, sku_code)
);
