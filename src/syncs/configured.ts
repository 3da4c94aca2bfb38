import type { TableDefinition, SyncDefinition, Settings, UploadSource } from './define-sync.ts';

/** Whether a table is fed by files that people upload, and by nothing else. */
export const isUploaded = ({ source }: TableDefinition): boolean => 'readUpload' in source;

/** What reads the files that people upload for a table; undefined when it takes none. */
export const uploadOf = ({ source, upload }: TableDefinition): UploadSource | undefined =>
  'readUpload' in source ? source : upload;

/** Whether a table has a source to read by itself. */
export const hasSource = (table: TableDefinition, settings: Settings): boolean =>
  !isUploaded(table) && ('open' in table.source || settings[table.source.setting] !== undefined);

/** Why a sync is off, naming the variables that would turn it on; undefined when it has a source. */
export function offReason(definition: SyncDefinition, settings: Settings): string | undefined {
  if (definition.tables.some((table) => hasSource(table, settings))) return undefined;
  const read = definition.tables.filter((table) => !isUploaded(table));
  const names = [...new Set(read.map((table) => table.source.setting))];
  return `${definition.name} is off: it has no source. Set ${names.join(', ')}.`;
}
