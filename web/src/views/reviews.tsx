// What a restore holds: tasks that ran at the restored moment or went on behind it. Somebody
// decides whether each runs again.
import type { Page, Review } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { type Action, ActionButton } from '../parts/action.tsx';
import { Badge } from '../parts/badge.tsx';
import { Link } from '../parts/link.tsx';
import { Read } from '../parts/notice.tsx';
import { Turner, usePages } from '../parts/pages.tsx';
import { type Column, Table } from '../parts/table.tsx';

const pageSize = 50;

/** Of one task, or of all that are shown. */
function decisions(tasks: number[], named: string): Action[] {
  const action = (decision: string, name: string, sentence: string, isGrave = false): Action => ({
    name,
    question: `${name}: ${named}?`,
    sentence,
    method: 'POST',
    path: '/v1/reviews',
    body: { tasks, decision },
    isGrave,
  });
  return [
    action(
      'run',
      'Run again',
      'It runs as if it had not gone on: what it did behind the restored moment is done again.',
      true,
    ),
    action(
      'skip',
      'Skip',
      'It does not run: it counts as succeeded where it has succeeded there, else it is cancelled.',
    ),
    action(
      'accept',
      'Accept',
      'It counts as succeeded: for who has looked, and knows that it was done.',
    ),
  ];
}

const place = (position: number | undefined) => (position ? String(position) : '–');

const columns: Column<Review>[] = [
  {
    name: 'Task',
    cell: (row) => (
      <Link to="task" item={row.id}>
        {row.id} <bdi>{row.label}</bdi>
      </Link>
    ),
  },
  {
    name: 'There it has',
    cell: (row) => (row.outcome === 'unknown' ? 'not ended' : <Badge state={row.outcome} />),
  },
  { name: 'Started there at', isNumber: true, cell: (row) => place(row.started) },
  { name: 'Ended there at', isNumber: true, cell: (row) => place(row.ended) },
  {
    name: 'Actions',
    cell: (row) => (
      <span class="actions">
        {decisions([row.id], `task ${row.id}`).map((action) => (
          <ActionButton key={action.name} action={action} />
        ))}
      </span>
    ),
  },
];

function AllShown({ rows }: { rows: Review[] }) {
  if (rows.length < 2) return null;
  const ids = rows.map((row) => row.id);
  return (
    <p class="actions" role="group" aria-label="All that are shown">
      {decisions(ids, `all ${ids.length} tasks shown`).map((action) => (
        <ActionButton key={action.name} action={{ ...action, name: `${action.name}: all shown` }} />
      ))}
    </p>
  );
}

export function ReviewsView() {
  const pages = usePages('');
  const reading = useRead<Page<Review>>('/v1/reviews', { limit: pageSize, page: pages.page });
  return (
    <>
      <h1>Reviews</h1>
      <p class="quiet">
        After a restore: what ran at the restored moment, or went on behind it, is held until it is
        decided whether it runs again. Positions are those of the log that was left.
      </p>
      <Read of={reading}>
        {({ items }) => (
          <>
            <AllShown rows={items} />
            <Table
              title="Tasks under review"
              rows={items}
              columns={columns}
              rowKey={(row) => row.id}
              empty="No task is under review: nothing was restored, or all is decided."
            />
          </>
        )}
      </Read>
      <Turner pages={pages} next={reading.data?.next} />
    </>
  );
}
