import type { Review, RunStatus } from '../api-types.ts';
import { cellText, count } from '../format.ts';
import { Section } from './page.tsx';
import { DataTable } from './table.tsx';

interface ReviewsProps {
  readonly reviews: readonly Review[];
  readonly status: RunStatus;
}

/** What would land, table by table: counts, why it is held, and samples with the columns that differ. */
export function Reviews({ reviews, status }: ReviewsProps) {
  // The tables that wait for a decision first.
  const sorted = [...reviews].sort((a, b) => Number(b.reason !== null) - Number(a.reason !== null));
  return (
    <Section title={status === 'held' ? 'What waits for a decision' : 'What it would do'}>
      {sorted.map((review) => (
        <ReviewCard
          key={review.table}
          review={review}
          open={review.reason !== null || reviews.length === 1}
        />
      ))}
    </Section>
  );
}

function ReviewCard({ review, open }: { readonly review: Review; readonly open: boolean }) {
  const { table, reason, inserted, updated, missing, unchanged, samples } = review;
  const nothing = inserted + updated + missing === 0;
  return (
    <details class={reason === null ? 'review' : 'review held'} open={open && !nothing}>
      <summary>
        <span class="strong">{table}</span>
        <span class="deltas">
          <Delta sign="+" of={inserted} word="new" tone="good" />
          <Delta sign="±" of={updated} word="changed" tone="busy" />
          <Delta sign="−" of={missing} word="missing" tone="bad" />
          <span class="muted">{count(unchanged)} unchanged</span>
        </span>
      </summary>
      {reason !== null && <p class="review-reason">{reason}</p>}
      {nothing && <p class="muted">Nothing would change.</p>}
      {samples.updated.length > 0 && <Changes rows={samples.updated} total={updated} />}
      {samples.missing.length > 0 && (
        <Rows title="Missing" rows={samples.missing} total={missing} tone="bad" />
      )}
      {samples.inserted.length > 0 && (
        <Rows title="New" rows={samples.inserted} total={inserted} tone="good" />
      )}
    </details>
  );
}

interface DeltaProps {
  readonly sign: string;
  readonly of: number;
  readonly word: string;
  readonly tone: string;
}

function Delta({ sign, of, word, tone }: DeltaProps) {
  return (
    <span class={of === 0 ? 'delta muted' : `delta ${tone}`}>
      {of > 0 && sign}
      {count(of)} {word}
    </span>
  );
}

const sampleOf = (shown: number, total: number): string =>
  shown < total ? ` (${count(shown)} of ${count(total)})` : '';

const keyText = (key: Readonly<Record<string, unknown>>): string =>
  Object.values(key).map(cellText).join(' · ');

function Changes({ rows, total }: { readonly rows: Review['samples']['updated']; readonly total: number }) {
  const changes = rows.flatMap(({ key, changes: columns }) =>
    Object.entries(columns).map(([column, [before, after]], index) => ({
      key,
      column,
      before,
      after,
      index,
    })),
  );
  return (
    <>
      <h3>Changed{sampleOf(rows.length, total)}</h3>
      <DataTable
        label="Changed columns"
        rows={changes}
        keyOf={({ key, column }) => `${keyText(key)} ${column}`}
        columns={[
          {
            label: 'Row',
            cell: ({ key, index }) => <span class={index === 0 ? 'strong' : 'again'}>{keyText(key)}</span>,
          },
          { label: 'Column', cell: ({ column }) => <code>{column}</code> },
          { label: 'Before', cell: ({ before }) => <del>{cellText(before)}</del> },
          { label: 'After', wide: true, cell: ({ after }) => <ins>{cellText(after)}</ins> },
        ]}
      />
    </>
  );
}

interface RowsProps {
  readonly title: string;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly total: number;
  readonly tone: 'good' | 'bad';
}

/** Whole rows, as wide as they are: the frame scrolls. */
function Rows({ title, rows, total, tone }: RowsProps) {
  const columns = Object.keys(rows[0] ?? {});
  return (
    <>
      <h3>
        {title}
        {sampleOf(rows.length, total)}
      </h3>
      <div class={`samples ${tone}`} role="region" aria-label={`${title} rows`} tabIndex={0}>
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              <tr key={index}>
                {columns.map((column) => (
                  <td key={column}>{cellText(row[column])}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
