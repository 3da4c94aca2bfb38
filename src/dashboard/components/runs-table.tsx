import type { RunSummary } from '../api-types.ts';
import { capital, count, duration, who, words } from '../format.ts';
import { Link } from '../router.tsx';
import { Status } from './status.tsx';
import { type Column, DataTable } from './table.tsx';
import { Ago, Elapsed } from './time.tsx';

const name: Column<RunSummary> = {
  label: 'Run',
  wide: true,
  cell: (run) => (
    <div class="two-lines">
      <Link to={`/runs/${run.run_id}`} class="strong">
        {capital(run.sync)}
        {run.kind !== 'sync' && ` ${run.kind}`}
      </Link>
      <span class="muted">
        {words(run.trigger)}
        {run.triggered_by && ` by ${who(run.triggered_by)}`}
      </span>
    </div>
  ),
};

const COLUMNS: readonly Column<RunSummary>[] = [
  name,
  { label: 'Status', cell: (run) => <Status status={run.status} /> },
  { label: 'Started', cell: (run) => <Ago at={run.started_at} /> },
  {
    label: 'Took',
    number: true,
    cell: (run) =>
      run.status === 'running' ? <Elapsed since={run.started_at} /> : duration(run.duration_seconds),
  },
  { label: 'Tables', number: true, cell: (run) => `${run.success_count}/${run.total_tables}` },
  { label: 'Rows', number: true, cell: (run) => count(run.total_rows_processed) },
  { label: 'Quarantined', number: true, cell: (run) => (run.quarantined > 0 ? count(run.quarantined) : '–') },
];

/** Runs, a line each, with what went wrong below. */
export function RunsTable({ runs }: { readonly runs: readonly RunSummary[] }) {
  return (
    <DataTable
      label="Runs"
      columns={COLUMNS}
      rows={runs}
      keyOf={(run) => run.run_id}
      below={(run) => run.error_message && <p class="row-message">{run.error_message}</p>}
    />
  );
}
