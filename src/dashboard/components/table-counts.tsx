import type { RunDetail, TableResult } from '../api-types.ts';
import { capital, count } from '../format.ts';
import { Section } from './page.tsx';
import { Badge, Status } from './status.tsx';
import { type Column, DataTable } from './table.tsx';

const counted = (label: string, pick: (table: TableResult) => number): Column<TableResult> => ({
  label,
  number: true,
  cell: (table) => (pick(table) === 0 ? <span class="muted">–</span> : count(pick(table))),
});

const COLUMNS: readonly Column<TableResult>[] = [
  { label: 'Table', wide: true, cell: ({ table }) => <span class="strong">{table}</span> },
  { label: 'Status', cell: ({ status }) => <Status status={status} /> },
  counted('Rows', (table) => table.rows_processed),
  counted('Inserted', (table) => table.inserted),
  counted('Updated', (table) => table.updated),
  counted('Unchanged', (table) => table.unchanged),
  counted('Archived', (table) => table.archived),
  counted('Restored', (table) => table.restored),
  counted('Skipped', (table) => table.skipped),
  counted('Quarantined', (table) => table.quarantined),
];
/** Shown only when some table has any. */
const RARE: Readonly<Record<string, (table: TableResult) => number>> = {
  Archived: (table) => table.archived,
  Restored: (table) => table.restored,
  Skipped: (table) => table.skipped,
};

interface TableCountsProps {
  readonly tables: readonly TableResult[];
  /** The counts are what a run would do. */
  readonly planned: boolean;
}

/** What a run did with each of its tables, or would do. */
export function TableCounts({ tables, planned }: TableCountsProps) {
  const columns = COLUMNS.filter(({ label }) => {
    const pick = RARE[label];
    return !pick || tables.some((table) => pick(table) > 0);
  });
  return (
    <>
      {planned && <p class="about">Nothing was merged: this is what a run would do.</p>}
      <DataTable
        label="Tables"
        columns={columns}
        rows={tables}
        keyOf={({ table }) => table}
        below={({ error, status }) =>
          error && <p class={status === 'failed' ? 'row-message bad' : 'row-message'}>{error}</p>
        }
      />
    </>
  );
}

type StepsProps = { readonly steps: RunDetail['enrich']; readonly notices: RunDetail['notices'] };

/** What the steps after the merge did, and what else is worth knowing. */
export function Steps({ steps, notices }: StepsProps) {
  if (steps.length === 0 && notices.length === 0) return null;
  return (
    <Section title={notices.length > 0 ? 'Steps and notices' : 'Steps'}>
      <ul class="steps-list">
        {steps.map((step) => (
          <li key={step.step}>
            <Badge tone={step.success ? 'good' : 'warn'}>{capital(step.step)}</Badge> {step.summary}
          </li>
        ))}
        {notices.map((notice) => (
          <li key={notice}>
            <Badge tone="warn">Notice</Badge> {notice}
          </li>
        ))}
      </ul>
    </Section>
  );
}
