import type pg from 'pg';
import { SCHEMAS } from '../migrate.ts';

/**
 * Takes away what would refuse or change rows while they are loaded in any order: foreign keys and triggers. Returns
 * the statements that put them back, which check every row against the foreign keys.
 */
export async function setAside(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ aside: string; back: string }>(
    `SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS aside,
            format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS back
     FROM pg_constraint
     WHERE contype = 'f' AND conparentid = 0 AND connamespace::regnamespace::text = ANY ($1)
     UNION ALL
     SELECT DISTINCT format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname),
                     format('ALTER TABLE %s ENABLE TRIGGER %I', tgrelid::regclass, tgname)
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE NOT tgisinternal AND tgparentid = 0 AND tgenabled = 'O' AND c.relnamespace::regnamespace::text = ANY ($1)`,
    [SCHEMAS],
  );
  for (const { aside } of rows) await client.query(aside);
  return rows.map(({ back }) => back);
}
