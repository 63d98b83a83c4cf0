// Groups: tasks of many submissions that belong together, and how far they are.
import { segment } from '../api/client.ts';
import type { Group, Page, TaskSummary } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { type Action, ActionButton } from '../parts/action.tsx';
import { Badge } from '../parts/badge.tsx';
import { Facts } from '../parts/facts.tsx';
import { Link } from '../parts/link.tsx';
import { Meter } from '../parts/meter.tsx';
import { Read } from '../parts/notice.tsx';
import { Turner, usePages } from '../parts/pages.tsx';
import { Section } from '../parts/section.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { number, time } from '../parts/text.ts';
import { route } from '../time/route.ts';
import { TaskTable } from './task_table.tsx';

const pageSize = 50;

function actionsOf({ group, state, live }: Group): Action[] {
  const path = `/v1/groups/${segment(group)}`;
  const close: Action = {
    name: 'Close',
    question: `Close group ${group}?`,
    sentence: 'It takes no more tasks. What waits for it begins when all of them have ended.',
    method: 'POST',
    path: `${path}/close`,
  };
  const cancel: Action = {
    name: 'Cancel',
    question: `Cancel group ${group}?`,
    sentence: 'It is closed, and all its tasks that have not ended are cancelled.',
    method: 'POST',
    path: `${path}/cancel`,
    body: {},
    fields: [{ name: 'reason', label: 'Reason, for the log' }],
    isGrave: true,
  };
  const isOpen = state === 'open';
  return [...(isOpen ? [close] : []), ...(isOpen || live > 0 ? [cancel] : [])];
}

function Actions({ group }: { group: Group }) {
  const actions = actionsOf(group);
  return actions.length === 0 ? null : (
    <span class="actions">
      {actions.map((action) => (
        <ActionButton key={action.name} action={action} />
      ))}
    </span>
  );
}

const Course = ({ group }: { group: Group }) => (
  <Meter
    kind="progress"
    used={group.tasks - group.live}
    size={group.tasks}
    text={`${number(group.tasks - group.live)} of ${number(group.tasks)} ended`}
  />
);

const columns: Column<Group>[] = [
  {
    name: 'Group',
    cell: (row) => (
      <Link to="groups" item={row.group}>
        {row.group}
      </Link>
    ),
  },
  { name: 'State', cell: (row) => <Badge state={row.state} /> },
  { name: 'Course', cell: (row) => <Course group={row} /> },
  { name: 'Succeeded', isNumber: true, cell: (row) => number(row.succeeded) },
  { name: 'Failed', isNumber: true, cell: (row) => number(row.failed) },
  { name: 'Cancelled', isNumber: true, cell: (row) => number(row.cancelled) },
  { name: 'Awaited by', isNumber: true, cell: (row) => number(row.awaited_by.length) },
  { name: 'Opened', cell: (row) => time(row.opened_at) },
  { name: 'Actions', cell: (row) => <Actions group={row} /> },
];

const awaitedMax = 20;

function Awaited({ tasks }: { tasks: number[] }) {
  return (
    <>
      {tasks.slice(0, awaitedMax).map((id, i) => (
        <span key={id}>
          {i > 0 ? ', ' : ''}
          <Link to="task" item={id}>
            {id}
          </Link>
        </span>
      ))}
      {tasks.length > awaitedMax ? ` and ${number(tasks.length - awaitedMax)} more` : ''}
    </>
  );
}

function Members({ name }: { name: string }) {
  const pages = usePages(name);
  const reading = useRead<Page<TaskSummary>>(`/v1/groups/${segment(name)}/tasks`, {
    limit: pageSize,
    page: pages.page,
  });
  return (
    <Section title="Its tasks">
      <Read of={reading}>{({ items }) => <TaskTable tasks={items} title="Tasks of it" />}</Read>
      <Turner pages={pages} next={reading.data?.next} />
    </Section>
  );
}

function One({ name }: { name: string }) {
  const reading = useRead<Group>(`/v1/groups/${segment(name)}`);
  return (
    <>
      <h1>Group {name}</h1>
      <Read of={reading}>
        {(group) => (
          <>
            <p>
              <Actions group={group} />
            </p>
            <Section title="Course">
              <Course group={group} />
              <Facts
                facts={[
                  ['State', <Badge state={group.state} />],
                  ['Opened', time(group.opened_at)],
                  ['Closed', group.closed_at ? time(group.closed_at) : ''],
                  ['Succeeded', number(group.succeeded)],
                  ['Failed', number(group.failed)],
                  ['Cancelled', number(group.cancelled)],
                  [
                    'Awaited by',
                    group.awaited_by.length > 0 ? <Awaited tasks={group.awaited_by} /> : '',
                  ],
                ]}
              />
            </Section>
            <Members name={name} />
          </>
        )}
      </Read>
      <p>
        <Link to="groups">All groups</Link>
      </p>
    </>
  );
}

function All() {
  const pages = usePages('');
  const reading = useRead<Page<Group>>('/v1/groups', { limit: pageSize, page: pages.page });
  return (
    <>
      <h1>Groups</h1>
      <Read of={reading}>
        {({ items }) => (
          <Table
            title="Groups"
            rows={items}
            columns={columns}
            rowKey={(row) => row.group}
            empty="There is no group: none was opened, or all their tasks are forgotten."
          />
        )}
      </Read>
      <Turner pages={pages} next={reading.data?.next} />
    </>
  );
}

export function GroupsView() {
  const name = route.value.item;
  return name ? <One key={name} name={name} /> : <All />;
}
