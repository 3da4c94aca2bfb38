import type pg from 'pg';
import { SCHEMAS } from '../migrate.ts';
import type { BackupTable, Manifest } from './manifest.ts';

/** A table to be backed up. */
export type DumpedTable = Pick<BackupTable, 'schema' | 'name' | 'columns'>;

/** Quoted for SQL, with the schema. */
export const tableName = ({ schema, name }: { readonly schema: string; readonly name: string }): string =>
  `${quoted(schema)}.${quoted(name)}`;

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * Every logged table with rows of ours, the largest first; of partitioned ones the partitions. Unlogged tables hold
 * only what a crash may take, migrations are named by the manifest.
 */
export async function listTables(client: pg.ClientBase): Promise<DumpedTable[]> {
  const { rows } = await client.query<DumpedTable>(
    `SELECT n.nspname AS schema, c.relname AS name,
            (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod))
                             ORDER BY a.attnum)
             FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname = ANY ($1)
       AND NOT (n.nspname = 'durasync' AND c.relname IN ('migrations', 'migrations_lock'))
     ORDER BY pg_relation_size(c.oid) DESC, schema, name`,
    [SCHEMAS],
  );
  return rows;
}

/** Every sequence with the last number it gave; read after the snapshot, so no row has a higher one. */
export async function listSequences(client: pg.ClientBase): Promise<Manifest['sequences']> {
  const { rows } = await client.query<{ schema: string; name: string; last_value: string | null }>(
    `SELECT schemaname AS schema, sequencename AS name, last_value::text FROM pg_sequences
     WHERE schemaname = ANY ($1) ORDER BY 1, 2`,
    [SCHEMAS],
  );
  return rows.map((row) => ({ ...row, last_value: row.last_value === null ? null : Number(row.last_value) }));
}

/** The views of clients that are there. */
export async function listClientViews(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ view_name: string }>(
    `SELECT c.view_name FROM commerce.clients c
     JOIN pg_views v ON v.schemaname = 'commerce' AND v.viewname = c.view_name ORDER BY 1`,
  );
  return rows.map(({ view_name }) => view_name);
}

/** The keys that secrets in the database are sealed with. */
export async function listKeyIds(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT DISTINCT split_part(credentials, ':', 1) AS id FROM commerce.client_api_credentials ORDER BY 1`,
  );
  return rows.map(({ id }) => id);
}

/** The names of the migrations that a database has had, oldest first. */
export async function listMigrations(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>('SELECT name FROM durasync.migrations ORDER BY name');
  return rows.map(({ name }) => name);
}
