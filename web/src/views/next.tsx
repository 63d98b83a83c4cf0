// What would begin next, and why: the points that each factor of its queue's policy gives it.
import type { Page, Recommended } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { Link } from '../parts/link.tsx';
import { Read } from '../parts/notice.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { duration, rounded } from '../parts/text.ts';
import { parameter, setParameters } from '../time/route.ts';

const rowsMax = 50;

/** "in 2 h", or "2 h late". */
function deadline(microseconds: number | undefined): string {
  if (microseconds === undefined) return '–';
  return microseconds < 0 ? `${duration(-microseconds)} late` : `in ${duration(microseconds)}`;
}

export function Factors({ of }: { of: Recommended }) {
  const factors = Object.entries(of.factors);
  if (factors.length === 0) return <>{of.policy}</>;
  return (
    <ul class="factors">
      {factors.map(([name, points]) => (
        <li key={name}>
          {name.replaceAll('_', ' ')} <strong>{points > 0 ? `+${rounded(points)}` : points}</strong>
        </li>
      ))}
    </ul>
  );
}

const columns: Column<Recommended & { place: number }>[] = [
  { name: 'Place', isNumber: true, cell: (row) => row.place },
  {
    name: 'Task',
    cell: (row) => (
      <Link to="task" item={row.id}>
        {row.id} <bdi>{row.label}</bdi>
      </Link>
    ),
  },
  { name: 'Queue', cell: (row) => row.queue },
  { name: 'Kind', cell: (row) => row.kind },
  { name: 'Owner', cell: (row) => row.owner ?? '–' },
  { name: 'Order', cell: (row) => row.policy },
  { name: 'Score', isNumber: true, cell: (row) => rounded(row.score) },
  { name: 'Made of', cell: (row) => <Factors of={row} /> },
  { name: 'Deadline', cell: (row) => deadline(row.until_deadline_us) },
];

export function NextView() {
  const [queue, owner] = [parameter('queue'), parameter('owner')];
  const reading = useRead<Page<Recommended>>('/v1/recommend', { limit: rowsMax, queue, owner });
  return (
    <>
      <h1>To be done next</h1>
      <form
        class="filters"
        role="search"
        aria-label="To be done next"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          const text = (name: string) => String(form.get(name) ?? '');
          setParameters({ queue: text('queue'), owner: text('owner') });
        }}
      >
        <label class="wide">
          Queue
          <input key={queue} type="search" name="queue" defaultValue={queue} data-search="" />
        </label>
        <label class="wide">
          Owner
          <input key={owner} type="search" name="owner" defaultValue={owner} />
        </label>
        <button type="submit" class="primary">
          Show
        </button>
      </form>
      <Read of={reading}>
        {({ items }) => (
          <Table
            title="To be done next"
            rows={items.map((row, i) => ({ ...row, place: i + 1 }))}
            columns={columns}
            rowKey={(row) => row.id}
            empty="Nothing is ready."
          />
        )}
      </Read>
    </>
  );
}
