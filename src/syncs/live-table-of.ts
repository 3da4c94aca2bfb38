import type { LiveTable } from '../db/live-table.ts';
import { SyncFailure } from '../domain/failures.ts';
import { columnsOf, type SyncDefinition, type TableDefinition } from './define-sync.ts';

/** The live table that a definition describes. */
export function liveTableOf(sync: SyncDefinition, table: TableDefinition, scope: string): LiveTable {
  const columns = columnsOf(table);
  const { key, existing = 'update', insertOnly = [] } = table;
  return {
    sync: sync.name,
    scope,
    schema: sync.schema,
    name: table.name,
    live: table.live ?? table.name,
    key,
    columns,
    compared:
      table.compared ?? columns.filter((column) => !key.includes(column) && !insertOnly.includes(column)),
    version: table.version ?? null,
    incremental: table.incremental ?? null,
    existing,
    insertOnly,
    settledIn: table.settledIn ?? null,
    ordered: existing === 'update' && !table.rowwise && !('readUpload' in table.source),
    rowwise: table.rowwise ?? false,
    lifecycle: table.lifecycle ?? null,
    archivable: table.archives !== false || table.lifecycle !== undefined,
    derived: table.derived ?? null,
    ordinal: table.ordinal ?? null,
    day: table.day ?? null,
    shownBy: table.shownBy ?? null,
  };
}

/** Every live table of a sync, in one scope. @throws SyncFailure UnknownSync */
export const tablesOf =
  (syncs: readonly SyncDefinition[]) =>
  (name: string, scope: string): LiveTable[] => {
    const sync = syncs.find((each) => each.name === name);
    if (!sync) throw new SyncFailure('UnknownSync', `There is no sync '${name}' any more.`);
    return sync.tables.map((table) => liveTableOf(sync, table, scope));
  };
