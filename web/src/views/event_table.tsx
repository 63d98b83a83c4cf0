// Events, one a row; each takes the page to its moment.
import type { LogEvent } from '../api/shapes.ts';
import { Link, ToPosition } from '../parts/link.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { oneLine, time } from '../parts/text.ts';

const inColumns = new Set(['position', 'time', 'type']);

function Details({ event }: { event: LogEvent }) {
  const rest = Object.entries(event).filter(([name]) => !inColumns.has(name));
  if (rest.length === 0) return null;
  const told = rest.map(([name, value]) => `${name} ${oneLine(value, 40)}`).join(', ');
  return (
    <details>
      <summary>{oneLine(told)}</summary>
      <pre tabIndex={0}>{JSON.stringify(Object.fromEntries(rest), null, 2)}</pre>
    </details>
  );
}

const columns: Column<LogEvent>[] = [
  { name: 'Position', isNumber: true, cell: (event) => <ToPosition position={event.position} /> },
  { name: 'Time', cell: (event) => time(event.time) },
  { name: 'Event', cell: (event) => event.type },
  {
    name: 'Task',
    cell: (event) =>
      typeof event.task === 'number' && event.task > 0 ? (
        <Link to="task" item={event.task}>
          {event.task}
        </Link>
      ) : (
        ''
      ),
  },
  { name: 'What', cell: (event) => <Details event={event} /> },
];

export const EventTable = ({
  events,
  title,
  empty = 'No event is like that.',
}: {
  events: LogEvent[];
  title: string;
  empty?: string;
}) => (
  <Table
    title={title}
    rows={events}
    columns={columns}
    rowKey={(event) => event.position}
    empty={empty}
  />
);
