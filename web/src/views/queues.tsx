// Queues: what is in them, and how much of it may run.
import type { Page, Queue } from '../api/shapes.ts';
import { segment } from '../api/client.ts';
import { useRead } from '../api/use_read.ts';
import { type Action, ActionButton } from '../parts/action.tsx';
import { Badge } from '../parts/badge.tsx';
import { Link } from '../parts/link.tsx';
import { Read } from '../parts/notice.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { number } from '../parts/text.ts';

function actionsOf(queue: Queue): Action[] {
  const path = `/v1/queues/${segment(queue.queue)}`;
  return [
    queue.paused
      ? {
          name: 'Resume',
          question: `Resume queue ${queue.queue}?`,
          method: 'POST',
          path: `${path}/resume`,
          sentence: 'Attempts of it begin again.',
        }
      : {
          name: 'Pause',
          question: `Pause queue ${queue.queue}?`,
          method: 'POST',
          path: `${path}/pause`,
          sentence: 'No attempt of it begins any more; those that run go on.',
        },
    {
      name: 'Slots',
      question: `Set the slots of queue ${queue.queue}?`,
      method: 'PUT',
      path,
      sentence: 'How many of its attempts run at once; 0 = as many as the engine has.',
      body: {},
      fields: [{ name: 'slots', label: 'Slots', value: String(queue.slots), isNumber: true }],
    },
  ];
}

const count = (
  name: 'waiting' | 'delayed' | 'ready' | 'running' | 'failed' | 'held' | 'succeeded',
) =>
  ({
    name: name.charAt(0).toUpperCase() + name.slice(1),
    isNumber: true,
    cell: (queue: Queue) => (
      <Link to="tasks" parameters={{ queue: queue.queue, state: name }}>
        {number(queue[name])}
      </Link>
    ),
  }) satisfies Column<Queue>;

const columns: Column<Queue>[] = [
  {
    name: 'Queue',
    cell: (queue) => (
      <Link to="tasks" parameters={{ queue: queue.queue }}>
        {queue.queue}
      </Link>
    ),
  },
  { name: 'State', cell: (queue) => <Badge state={queue.paused ? 'paused' : 'open to work'} /> },
  {
    name: 'Slots',
    isNumber: true,
    cell: (queue) => (queue.slots === 0 ? 'all' : number(queue.slots)),
  },
  { name: 'Order', cell: (queue) => queue.policy ?? '' },
  count('ready'),
  count('running'),
  count('waiting'),
  count('delayed'),
  count('held'),
  count('failed'),
  count('succeeded'),
  {
    name: 'Actions',
    cell: (queue) => (
      <span class="actions">
        {actionsOf(queue).map((action) => (
          <ActionButton key={action.name} action={action} />
        ))}
      </span>
    ),
  },
];

export function QueuesView() {
  const reading = useRead<Page<Queue>>('/v1/queues');
  return (
    <>
      <h1>Queues</h1>
      <Read of={reading}>
        {(queues) => (
          <Table
            title="Queues"
            rows={queues.items}
            columns={columns}
            rowKey={(row) => row.queue}
            empty="There is no queue: none had a task."
          />
        )}
      </Read>
    </>
  );
}
