// Tasks, one a row.
import type { TaskSummary } from '../api/shapes.ts';
import { Badge } from '../parts/badge.tsx';
import { Link } from '../parts/link.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { time } from '../parts/text.ts';
import { TaskActions } from './task_actions.tsx';

const columns: Column<TaskSummary>[] = [
  {
    name: 'Task',
    cell: (task) => (
      <Link to="task" item={task.id}>
        {task.id} <bdi>{task.label ?? ''}</bdi>
      </Link>
    ),
  },
  { name: 'State', cell: (task) => <Badge state={task.state} /> },
  { name: 'Queue', cell: (task) => task.queue },
  { name: 'Kind', cell: (task) => task.kind },
  { name: 'Attempts', isNumber: true, cell: (task) => `${task.attempts} of ${task.attempts_max}` },
  { name: 'Submitted', cell: (task) => time(task.enqueued_at) },
  { name: 'Ended', cell: (task) => time(task.ended_at) },
  { name: 'Actions', cell: (task) => <TaskActions task={task} /> },
];

export const TaskTable = ({ tasks, title }: { tasks: TaskSummary[]; title: string }) => (
  <Table
    title={title}
    rows={tasks}
    columns={columns}
    rowKey={(task) => task.id}
    empty="No task is like that."
  />
);
