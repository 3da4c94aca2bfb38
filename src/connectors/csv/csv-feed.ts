import { SyncFailure } from '../../domain/failures.ts';
import type { Source, SourceContext, SourcePage } from '../../domain/source.ts';
import { fetchFile } from '../http/fetch-file.ts';
import { nameSource } from '../http/name-source.ts';
import type { CsvColumn } from './match-header.ts';
import type { CsvDelimiter } from './read-records.ts';
import { readRows } from './read-rows.ts';

export interface CsvFeed {
  /** The table's name, for messages. */
  readonly table: string;
  /** The setting that holds the address of the export. */
  readonly setting: string;
  /** In the order of the export, which has a header row or not. */
  readonly columns: readonly CsvColumn[];
  readonly delimiter?: CsvDelimiter;
  readonly pageRows?: number;
  /** See `ReadOptions`; without it a row that isn't UTF-8 is unreadable. */
  readonly encodingFallback?: 'windows-1252';
  readonly headersTimeoutMs?: number;
  readonly bodyIdleTimeoutMs?: number;
}

/**
 * A CSV export behind an address, as a source of rows. It can only be read from its start, so it ignores the
 * cursor. Safe to repeat; reads in constant memory.
 */
export function csvFeed(feed: CsvFeed): Source {
  return { setting: feed.setting, fetchPages: (context) => fetchPages(feed, context) };
}

async function* fetchPages(
  feed: CsvFeed,
  context: SourceContext,
): AsyncGenerator<SourcePage, void, undefined> {
  const { table, setting, headersTimeoutMs, bodyIdleTimeoutMs } = feed;
  const url = context.settings[setting];
  if (typeof url !== 'string' || url.trim() === '') {
    throw new SyncFailure('SourceNotConfigured', `${table}: no URL configured. Set ${setting}.`);
  }
  const { signal, http: agent } = context;
  const { chunks } = await fetchFile({ url, setting, signal, agent, headersTimeoutMs, bodyIdleTimeoutMs });
  const { columns, delimiter, pageRows, encodingFallback } = feed;
  const source = nameSource(setting, new URL(url));
  yield* readRows(chunks, { source, columns, delimiter, pageRows, encodingFallback });
}
