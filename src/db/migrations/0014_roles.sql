-- A client's view belongs to the owner of the tables, whoever adds the client, so that nobody else needs to create
-- anything in the schema.
CREATE FUNCTION commerce.make_client_view(client text, view_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  IF view_name !~ '^client_[a-z0-9_]+_data$' OR length(view_name) > 63 THEN
    RAISE EXCEPTION 'not the name of a view of a client' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  EXECUTE format('CREATE OR REPLACE VIEW commerce.%I AS
    SELECT client_id, platform, data_type, external_id, payload, source_updated_at, content_hash, first_seen_at, updated_at
    FROM commerce.client_data WHERE client_id = %L', view_name, client);
END $$;

CREATE FUNCTION commerce.drop_client_view(view_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  IF view_name !~ '^client_[a-z0-9_]+_data$' THEN
    RAISE EXCEPTION 'not the name of a view of a client' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  EXECUTE format('DROP VIEW IF EXISTS commerce.%I', view_name);
END $$;
REVOKE ALL ON FUNCTION commerce.make_client_view(text, text), commerce.drop_client_view(text) FROM PUBLIC;

-- Makes the roles durasync_worker and durasync_api, unless the cluster has them, and gives them what they need and no
-- more, on all tables there are by now. Every migration ends with it, so later tables are covered, too.
--
-- worker: reads and writes rows of every table but those about people who log in; makes and drops staging tables.
-- api:    reads every row; writes what people change through it. Syncs write for it, as workflows.
CREATE FUNCTION durasync.grant_roles() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  name text;
  space text;
  relation record;
  -- Who may log in, and as whom.
  of_people CONSTANT text[] := ARRAY['api_tokens', 'sessions', 'login_codes'];
  -- What nobody but a migration writes.
  of_migrations CONSTANT text[] := ARRAY['migrations', 'migrations_lock'];
  -- What goes when a client is purged.
  of_clients CONSTANT text[] := ARRAY['client_data', 'client_api_sync_results', 'sku_cache', 'watermarks', 'table_state',
    'row_changes', 'watermark_changes'];
  -- What people change through the API.
  by_people CONSTANT text[] := ARRAY['audit_log', 'uploads', 'upload_chunks', 'quarantined_rows', 'open_causes',
    'notifications', 'notification_deliveries', 'rate_buckets', 'clients', 'client_api_credentials', 'leads', 'reports'];
BEGIN
  FOREACH name IN ARRAY ARRAY['durasync_worker', 'durasync_api'] LOOP
    IF to_regrole(name) IS NULL THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', name);
      EXCEPTION
        -- Another database of the cluster makes it at the same moment.
        WHEN duplicate_object OR unique_violation THEN NULL;
        WHEN insufficient_privilege THEN
          RAISE WARNING 'The role % is missing and this user may not create it; workers and the API go on as their own users.', name
            USING HINT = format('As an administrator: CREATE ROLE %I NOLOGIN; then: npx durasync migrate', name);
          CONTINUE;
      END;
    END IF;
    FOR space IN SELECT nspname FROM pg_namespace
      WHERE nspname IN ('durasync', 'durasync_staging', 'fleet', 'commerce', 'sales', 'rentals', 'cars') LOOP
      EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', space, name);
      EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', space, name);
      EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO %I', space, name);
    END LOOP;
    EXECUTE format('GRANT EXECUTE ON FUNCTION commerce.make_client_view(text, text), commerce.drop_client_view(text) TO %I', name);
  END LOOP;
  IF to_regrole('durasync_worker') IS NOT NULL THEN
    GRANT CREATE ON SCHEMA durasync_staging TO durasync_worker;
  END IF;
  FOR relation IN
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('durasync', 'fleet', 'commerce', 'sales', 'rentals', 'cars') AND c.relkind IN ('r', 'p')
  LOOP
    IF relation.relname = ANY (of_migrations) THEN CONTINUE; END IF;
    IF to_regrole('durasync_worker') IS NOT NULL THEN
      EXECUTE format(CASE WHEN relation.relname = ANY (of_people) THEN 'REVOKE ALL ON %I.%I FROM durasync_worker'
                          ELSE 'GRANT INSERT, UPDATE, DELETE ON %I.%I TO durasync_worker' END,
                     relation.nspname, relation.relname);
    END IF;
    IF to_regrole('durasync_api') IS NOT NULL AND relation.relname = ANY (of_clients) THEN
      EXECUTE format('GRANT DELETE ON %I.%I TO durasync_api', relation.nspname, relation.relname);
    END IF;
    IF to_regrole('durasync_api') IS NOT NULL AND relation.relname = ANY (of_people || by_people) THEN
      EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I.%I TO durasync_api', relation.nspname, relation.relname);
    END IF;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION durasync.grant_roles() FROM PUBLIC;
