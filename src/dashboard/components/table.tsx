import type { ComponentChildren } from 'preact';

export interface Column<Row> {
  readonly label: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** Numbers stand right, so that their digits align. */
  readonly number?: true;
  /** Takes the width that is left. */
  readonly wide?: true;
  /** Buttons say themselves what they are for. */
  readonly actions?: true;
}

interface DataTableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string | number;
  /** Below the row, over its whole width, such as an error. */
  readonly below?: (row: Row) => ComponentChildren;
}

/**
 * Rows with the same columns; on a phone each row is a small list of its own. The roles are told because styles that
 * make a list of a table take them away.
 */
export function DataTable<Row>({ label, columns, rows, keyOf, below }: DataTableProps<Row>) {
  return (
    <div class="table-frame">
      <table role="table" aria-label={label}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column.label} role="columnheader" scope="col" class={classOf(column)}>
                {column.actions ? <span class="hidden">{column.label}</span> : column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => {
            const more = below?.(row);
            return (
              <>
                <tr key={keyOf(row)} role="row" class={more ? 'has-more' : undefined}>
                  {columns.map((column) => (
                    <td
                      key={column.label}
                      role="cell"
                      data-label={column.actions ? undefined : column.label}
                      class={classOf(column)}
                    >
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
                {more && (
                  <tr key={`${keyOf(row)} more`} role="row" class="more">
                    <td role="cell" colSpan={columns.length}>
                      {more}
                    </td>
                  </tr>
                )}
              </>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

const classOf = <Row,>({ number, wide }: Column<Row>): string | undefined =>
  number ? 'number' : wide ? 'wide' : undefined;
