// What is enqueued again and again.
import type { Page, Schedule } from '../api/shapes.ts';
import { segment } from '../api/client.ts';
import { useRead } from '../api/use_read.ts';
import { type Action, ActionButton } from '../parts/action.tsx';
import { Badge } from '../parts/badge.tsx';
import { Link } from '../parts/link.tsx';
import { Read } from '../parts/notice.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { number, time } from '../parts/text.ts';

function actionsOf({ schedule, paused }: Schedule): Action[] {
  const path = `/v1/schedules/${segment(schedule)}`;
  return [
    paused
      ? {
          name: 'Resume',
          question: `Resume schedule ${schedule}?`,
          method: 'POST',
          path: `${path}/resume`,
          sentence: 'Its instants enqueue again.',
        }
      : {
          name: 'Pause',
          question: `Pause schedule ${schedule}?`,
          method: 'POST',
          path: `${path}/pause`,
          sentence: 'Its instants pass without a task.',
        },
    {
      name: 'Remove',
      question: `Remove schedule ${schedule}?`,
      method: 'DELETE',
      path,
      sentence: 'It enqueues no more. Tasks that it has enqueued stay.',
      isGrave: true,
    },
  ];
}

const columns: Column<Schedule>[] = [
  { name: 'Schedule', cell: (row) => row.schedule },
  { name: 'State', cell: (row) => <Badge state={row.paused ? 'paused' : 'active'} /> },
  { name: 'When', cell: (row) => row.recurrence },
  {
    name: 'What',
    cell: (row) => (
      <>
        <bdi>{row.label ?? ''}</bdi>
        {row.queue ? ` in ${row.queue}` : ''}
      </>
    ),
  },
  { name: 'Next', cell: (row) => time(row.next) },
  { name: 'Last', cell: (row) => time(row.fired) },
  { name: 'Fired', isNumber: true, cell: (row) => number(row.firings) },
  { name: 'Skipped', isNumber: true, cell: (row) => number(row.skipped) },
  {
    name: 'Task',
    cell: (row) =>
      row.task ? (
        <Link to="task" item={row.task}>
          {row.task}
        </Link>
      ) : (
        '–'
      ),
  },
  {
    name: 'Actions',
    cell: (row) => (
      <span class="actions">
        {actionsOf(row).map((action) => (
          <ActionButton key={action.name} action={action} />
        ))}
      </span>
    ),
  },
];

export function SchedulesView() {
  const reading = useRead<Page<Schedule>>('/v1/schedules');
  return (
    <>
      <h1>Schedules</h1>
      <Read of={reading}>
        {(schedules) => (
          <Table
            title="Schedules"
            rows={schedules.items}
            columns={columns}
            rowKey={(row) => row.schedule}
            empty="Nothing is enqueued again and again."
          />
        )}
      </Read>
    </>
  );
}
