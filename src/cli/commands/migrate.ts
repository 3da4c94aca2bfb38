import { Connection } from '@temporalio/client';
import { migrateToLatest } from '../../db/migrate.ts';
import { registerSearchAttributes } from '../../temporal/search-attributes.ts';
import { printLine } from '../output.ts';
import { withSession } from '../context.ts';

/** Brings the database to the newest schema and registers the search attributes. Safe to repeat. */
export async function migrate(): Promise<void> {
  await withSession(async ({ targets, client }) => {
    const applied = await migrateToLatest(targets.databaseUrl, printLine);
    printLine(applied.length > 0 ? `applied: ${applied.join(', ')}` : 'the schema is up to date');
    const { connection } = client;
    if (connection instanceof Connection)
      await registerSearchAttributes(connection, targets.temporal.namespace);
    printLine('the search attributes are registered');
  });
}
