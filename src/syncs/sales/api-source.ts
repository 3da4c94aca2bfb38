import { fetchFile } from '../../connectors/http/fetch-file.ts';
import { nameSource } from '../../connectors/http/name-source.ts';
import { readArray } from '../../connectors/json/read-array.ts';
import { SyncFailure } from '../../domain/failures.ts';
import type { Source, SourceContext, SourcePage, SourceRow } from '../../domain/source.ts';
import { addDays } from '../days.ts';
import { SALE_COLUMNS } from './sale-columns.ts';

const SETTING = 'SALES_API_URL';
const NAMES = SALE_COLUMNS.map(({ name }) => name);
/** JSON writers show 3.3 as 3.3000000000000003. No amount has more decimals than this. */
const DECIMALS_MAX = 6;

/**
 * The sales of the days of a window, asked for at once and read as a stream. Sales of other days are left out and
 * counted.
 */
export const salesApi: Source = {
  setting: SETTING,
  async *fetchPages({ settings, window, http, signal }) {
    const url = String(settings[SETTING]);
    if (!window) throw new SyncFailure('InvalidInput', 'Sales are read for days. Give --from and --to.');
    const source = nameSource(SETTING, new URL(url));
    const { chunks } = await fetchFile({
      url: withDays(url, window),
      setting: SETTING,
      signal,
      agent: http,
      headers: { accept: 'application/json', ...bearer(settings) },
    });
    let [position, outside] = [0, 0];
    for await (const records of readArray(chunks, { source, of: 'sales' })) {
      const rows: SourceRow[] = [];
      for (const record of records) {
        position += 1;
        const row = new ApiRow(position, record);
        if (row.isOutside(window)) outside += 1;
        else rows.push(row);
      }
      yield { rows, columns: NAMES, nextCursor: null };
    }
    yield {
      rows: [],
      nextCursor: null,
      ...(outside > 0 ? { notices: [ignored(outside, window)] } : {}),
    } satisfies SourcePage;
  },
};

/** Both days are part of what is asked for. */
function withDays(url: string, { from, to }: NonNullable<SourceContext['window']>): string {
  const address = new URL(url);
  address.searchParams.set('start_date', from);
  address.searchParams.set('end_date', addDays(to, -1));
  return address.href;
}

const bearer = ({ SALES_API_KEY: key }: SourceContext['settings']): Record<string, string> =>
  typeof key === 'string' ? { authorization: `Bearer ${key}` } : {};

const ignored = (rows: number, { from, to }: NonNullable<SourceContext['window']>): string =>
  `sales: ${rows} rows of days outside ${from} to ${addDays(to, -1)} were ignored.`;

/** A record whose text is made only for those who ask for it. */
class ApiRow implements SourceRow {
  readonly position: number;
  readonly #record: unknown;
  readonly cells: readonly string[] | undefined;
  readonly unreadable: string | undefined;

  constructor(position: number, record: unknown) {
    this.position = position;
    this.#record = record;
    if (typeof record === 'object' && record !== null && !Array.isArray(record)) {
      this.cells = cellsOf(record as Readonly<Record<string, unknown>>);
    } else {
      this.unreadable = 'is not a JSON object';
    }
  }

  get values(): Readonly<Record<string, string>> {
    return Object.fromEntries(NAMES.map((name, at) => [name, this.cells?.[at] ?? '']));
  }

  get raw(): string {
    return JSON.stringify(this.#record);
  }

  /** Whether it is of a day that was not asked for. One whose day can't be read is not. */
  isOutside({ from, to }: NonNullable<SourceContext['window']>): boolean {
    const day = this.cells?.[0] ?? '';
    return /^\d{4}-\d{2}-\d{2}$/.test(day) && (day < from || day >= to);
  }
}

function cellsOf(record: Readonly<Record<string, unknown>>): readonly string[] {
  return NAMES.map((name, at) => {
    const text = textOf(record[name]);
    return at === 0 ? text.replace(/T00:00:00(\.0+)?(Z|\+00:00)?$/, '') : text;
  });
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') {
    return Number.isInteger(value) ? String(value) : value.toFixed(DECIMALS_MAX);
  }
  return value === null || value === undefined ? '' : JSON.stringify(value);
}
