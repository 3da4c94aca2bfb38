import type { QuarantinedRow } from '../api-types.ts';
import { count } from '../format.ts';
import { Badge } from './status.tsx';
import { Ago } from './time.tsx';

/** Rows that could not be taken: why, where, and their own text. */
export function QuarantineList({ rows }: { readonly rows: readonly QuarantinedRow[] }) {
  return (
    <ul class="quarantine">
      {rows.map((row) => (
        <li key={row.id}>
          <p class="quarantine-head">
            <span class="strong">{row.table}</span>
            <span class="muted">
              line {count(row.position)} · <Ago at={row.created_at} />
            </span>
            {row.resolved_at && <Badge tone="good">Resolved</Badge>}
          </p>
          <ul class="reasons">
            {row.reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
          <details>
            <summary>The row's own text</summary>
            <pre tabIndex={0}>{row.raw}</pre>
          </details>
        </li>
      ))}
    </ul>
  );
}
