import type { TableDefinition, SyncDefinition, Settings } from './define-sync.ts';

/** Whether a table's source has its setting. */
export const hasSource = (table: TableDefinition, settings: Settings): boolean =>
  'open' in table.source || settings[table.source.setting] !== undefined;

/** Why a sync is off, naming the variables that would turn it on; undefined when it has a source. */
export function offReason(definition: SyncDefinition, settings: Settings): string | undefined {
  if (definition.tables.some((table) => hasSource(table, settings))) return undefined;
  const names = [...new Set(definition.tables.map((table) => table.source.setting))];
  return `${definition.name} is off: it has no source. Set ${names.join(', ')}.`;
}
