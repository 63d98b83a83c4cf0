// Rows of one kind. What does not fit scrolls inside, by keyboard too; on a narrow screen each row
// becomes a block whose cells say what they are.
import type { ComponentChildren } from 'preact';

export interface Column<Row> {
  name: string;
  cell: (row: Row) => ComponentChildren;
  isNumber?: boolean;
}

/** Of what people write, and of times; what is longer may be cut anywhere (parts.css). */
const longWord = /[^\s"\\,:[\]{}]{32}/;

export function Table<Row>({
  title,
  rows,
  columns,
  rowKey,
  empty,
}: {
  title: string;
  rows: Row[];
  columns: Column<Row>[];
  rowKey: (row: Row) => string | number;
  empty: string;
}) {
  if (rows.length === 0) return <p class="notice">{empty}</p>;
  const isLong = rows.some((row) => longWord.test(JSON.stringify(row)));
  return (
    <div class={isLong ? 'table long' : 'table'} role="region" aria-label={title} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" class={column.isNumber ? 'number' : ''}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column) => (
                <td
                  key={column.name}
                  data-name={column.name}
                  class={column.isNumber ? 'number' : ''}
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
