CREATE SCHEMA cars;

CREATE TABLE cars.cars (
  source text,
  external_id text,
  domain text,
  vin text,
  -- Whether the VIN's check digit is right; null without a VIN.
  vin_valid boolean,
  make text,
  model text,
  generation text,
  title text,
  year integer,
  fuel text,
  transmission text,
  color text,
  body_style text,
  drive_type text,
  engine text,
  mileage_km integer,
  listed_price numeric(14, 2),
  currency text,
  landed_price numeric(14, 0),
  images jsonb NOT NULL,
  location text,
  seller text,
  url text,
  status text NOT NULL CHECK (status IN ('active', 'pending', 'sold', 'archived')),
  status_changed_at timestamptz NOT NULL DEFAULT now(),
  -- Values of the source that made no sense and are null here, as sentences.
  issues jsonb NOT NULL,
  payload jsonb NOT NULL,
  content_hash text NOT NULL,
  -- When the source showed the row as it is here.
  seen_at timestamptz NOT NULL,
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  first_run_id text,
  last_run_id text,
  PRIMARY KEY (source, external_id)
);
CREATE INDEX cars_by_vin ON cars.cars (vin);
CREATE INDEX cars_ended ON cars.cars (status_changed_at) WHERE status IN ('sold', 'archived');

CREATE TABLE cars.cars_archive (
  LIKE cars.cars, archived_at timestamptz NOT NULL, archive_reason text NOT NULL, archived_run_id text NOT NULL,
  PRIMARY KEY (source, external_id));

-- One row for each run of kind sync, kept by a trigger: whatever ends the run's row ends this one with it.
CREATE TABLE cars.cars_sync_log (
  id uuid PRIMARY KEY,
  sync_type text NOT NULL CHECK (sync_type IN ('incremental', 'full')),
  started_at timestamptz NOT NULL,
  completed_at timestamptz,
  status text NOT NULL CHECK (status IN ('running', 'completed', 'failed')),
  cars_synced bigint NOT NULL DEFAULT 0,
  cars_archived bigint NOT NULL DEFAULT 0,
  error_message text,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX cars_sync_log_by_start ON cars.cars_sync_log (started_at DESC);

-- With the rights of its owner, so that a worker needs none of its own on the log.
CREATE FUNCTION cars.log_run() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  merged record;
BEGIN
  -- What was held counts once it is merged.
  SELECT coalesce(sum(staged) FILTER (WHERE status = 'completed'), 0) AS synced, coalesce(sum(archived), 0) AS archived,
         coalesce(sum(inserted), 0) AS inserted, coalesce(sum(updated), 0) AS updated,
         coalesce(sum(restored), 0) AS restored, coalesce(sum(quarantined), 0) AS quarantined
  INTO merged FROM durasync.sync_run_tables WHERE run_id = NEW.run_id;
  INSERT INTO cars.cars_sync_log AS l
    (id, sync_type, started_at, completed_at, status, cars_synced, cars_archived, error_message, metadata)
  VALUES (
    NEW.run_id::uuid,
    CASE WHEN NEW.metadata ->> 'full' = 'true' THEN 'full' ELSE 'incremental' END,
    NEW.started_at,
    NEW.completed_at,
    CASE WHEN NEW.status = 'running' THEN 'running'
         WHEN NEW.status IN ('failed', 'cancelled') THEN 'failed'
         ELSE 'completed' END,
    merged.synced,
    merged.archived,
    NEW.error_message,
    jsonb_build_object(
      'encar_count', 0, 'kbchachacha_count', 0, 'inserted', merged.inserted, 'updated', merged.updated,
      'restored', merged.restored, 'quarantined', merged.quarantined, 'trigger', NEW.trigger, 'run_status', NEW.status)
    || coalesce(jsonb_path_query_first(NEW.metadata, '$.derive[*] ? (@.step == "domains").counts'), '{}')
    || CASE WHEN NEW.metadata ? 'hold' THEN '{"held": true}' ELSE '{}' END::jsonb)
  ON CONFLICT (id) DO UPDATE
  SET completed_at = excluded.completed_at, status = excluded.status, cars_synced = excluded.cars_synced,
      cars_archived = excluded.cars_archived, error_message = excluded.error_message, metadata = excluded.metadata;
  RETURN NULL;
END $$;

CREATE TRIGGER cars_sync_log AFTER INSERT OR UPDATE ON durasync.sync_runs
  FOR EACH ROW WHEN (NEW.sync = 'cars' AND NEW.kind = 'sync') EXECUTE FUNCTION cars.log_run();

ALTER TABLE cars.cars_sync_log ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON cars.cars_sync_log FROM PUBLIC;

-- Makes the two roles of the log, unless the cluster has them, and lets them in. Called again after somebody else has
-- made the roles, it does the rest.
CREATE FUNCTION cars.grant_sync_log() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  name text;
  rights record;
BEGIN
  FOR rights IN
    SELECT * FROM (VALUES ('durasync_service', 'ALL', 'SELECT, INSERT, UPDATE, DELETE'),
                          ('durasync_viewer', 'SELECT', 'SELECT')) AS r(role, command, privileges)
  LOOP
    name := rights.role;
    IF to_regrole(name) IS NULL THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', name);
      EXCEPTION
        -- Another database of the cluster makes it at the same moment.
        WHEN duplicate_object OR unique_violation THEN NULL;
        WHEN insufficient_privilege THEN
          RAISE WARNING 'The role % is missing and this user may not create it, so nobody but the owner sees cars.cars_sync_log.', name
            USING HINT = format('As an administrator: CREATE ROLE %I NOLOGIN; then as the owner: SELECT cars.grant_sync_log();', name);
          CONTINUE;
      END;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA cars TO %I', name);
    EXECUTE format('GRANT %s ON cars.cars_sync_log TO %I', rights.privileges, name);
    EXECUTE format('DROP POLICY IF EXISTS %I ON cars.cars_sync_log', name);
    EXECUTE format('CREATE POLICY %I ON cars.cars_sync_log FOR %s TO %I USING (true) %s',
                   name, rights.command, name, CASE WHEN rights.command = 'ALL' THEN 'WITH CHECK (true)' ELSE '' END);
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION cars.grant_sync_log() FROM PUBLIC;

SELECT cars.grant_sync_log();
