import { listQuarantined } from '../../db/quarantine-list.ts';
import { readReplayRows } from '../../db/quarantine-replay.ts';
import { UsageError, withSession } from '../context.ts';
import { printJson, printLine, renderTable } from '../output.ts';
import { describeState } from './replay.ts';

interface ListOptions {
  readonly sync?: string;
  readonly table?: string;
  readonly run?: string;
  readonly limit: string;
  readonly json?: true;
}

const RAW_SHOWN = 60;

/** Quarantined rows, newest first. */
export async function list(options: ListOptions): Promise<void> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1)
    throw new UsageError(`--limit must be a whole number, not '${options.limit}'.`);
  await withSession(async ({ database }) => {
    const { sync, table, run: runId } = options;
    const rows = await listQuarantined(database.db, { sync, table, runId, limit });
    if (options.json) return printJson(rows);
    if (rows.length === 0) return printLine('No quarantined rows.');
    printLine(
      renderTable(
        ['id', 'table', 'line', 'reason', 'row'],
        rows.map((row) => [
          String(row.id),
          row.table,
          String(row.position),
          row.reasons.join('; '),
          row.raw.slice(0, RAW_SHOWN).replace(/\s+/g, ' '),
        ]),
        ['id', 'line'],
      ),
    );
    printLine('See a whole row with: npx durasync quarantine show ID');
  });
}

/** One quarantined row with its text and every reason. */
export async function show(id: string, options: { readonly json?: true }): Promise<void> {
  if (!/^\d+$/.test(id)) throw new UsageError(`'${id}' is not the number of a quarantined row.`);
  await withSession(async ({ database }) => {
    const [row] = await listQuarantined(database.db, { id: Number(id), limit: 1 });
    if (!row) throw new UsageError(`There is no quarantined row ${id}.`);
    if (options.json) return printJson(row);
    printLine(`${row.sync}.${row.table}, line ${row.position}, run ${row.run_id}, ${row.created_at}`);
    for (const reason of row.reasons) printLine(`  ${reason}`);
    const [state] = await readReplayRows(database.db, { ids: [row.id] }, 1);
    if (state && state.state !== 'ready') printLine(`  ${describeState(state)}`);
    printLine();
    printLine(row.raw);
    if (!state?.values) return;
    printLine();
    const cells = Object.entries(state.values).map(([column, value]) => [column, String(value)]);
    printLine(renderTable(['column', 'value'], cells));
    if (state.state === 'ready') {
      printLine(`Correct it with: npx durasync quarantine replay ${id} --set column=value`);
    }
  });
}
