// One task: what was asked, how it went, why it waited, and its events.
import { ApiError } from '../api/client.ts';
import type { LogEvent, Page, TaskDetail, Why } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { Badge } from '../parts/badge.tsx';
import { type Fact, Facts } from '../parts/facts.tsx';
import { Link } from '../parts/link.tsx';
import { Read } from '../parts/notice.tsx';
import { Section } from '../parts/section.tsx';
import { bytes, duration, microsecondsBetween, oneLine, time } from '../parts/text.ts';
import { route } from '../time/route.ts';
import { EventTable } from './event_table.tsx';
import { TaskActions } from './task_actions.tsx';
import { Timeline } from './task_timeline.tsx';
import { WhyTree } from './why_tree.tsx';

/** Both look through the log. */
const slowly = 1000;

const shown = new Set([
  'id',
  'label',
  'state',
  'queue',
  'kind',
  'priority',
  'tags',
  'attempts',
  'failures',
  'attempts_max',
  'enqueued_at',
  'run_at',
  'started_at',
  'ended_at',
  'command',
  'folder',
  'after',
  'timeout',
  'output',
  'message',
  'payload_bytes',
]);

function requestOf(task: TaskDetail): Fact[] {
  const after = task.after?.map((id, i) => (
    <span key={id}>
      {i > 0 ? ', ' : ''}
      <Link to="task" item={id}>
        {id}
      </Link>
    </span>
  ));
  return [
    [
      'Queue',
      <Link to="tasks" parameters={{ queue: task.queue }}>
        {task.queue}
      </Link>,
    ],
    [
      'Kind',
      <Link to="tasks" parameters={{ kind: task.kind }}>
        {task.kind}
      </Link>,
    ],
    ['Priority', task.priority],
    ['Tags', task.tags?.join(', ')],
    ['Command', task.command ? <code>{task.command}</code> : ''],
    ['Folder', task.folder],
    ['Payload', task.payload_bytes === undefined ? '' : bytes(task.payload_bytes)],
    ['After', after],
    ['Timeout', task.timeout],
  ];
}

function courseOf(task: TaskDetail): Fact[] {
  const { started_at: started, ended_at: ended } = task;
  const rest = Object.entries(task).filter(([name]) => !shown.has(name));
  return [
    ['State', <Badge state={task.state} />],
    ['Attempts', `${task.attempts} of ${task.attempts_max}, ${task.failures} failed`],
    ['Submitted', time(task.enqueued_at)],
    ['Begins', time(task.run_at) === '–' ? '' : time(task.run_at)],
    ['Started', time(started)],
    ['Ended', time(ended)],
    ['Took', started && ended ? duration(microsecondsBetween(started, ended)) : ''],
    ['Message', task.message],
    ...rest.map(([name, value]): Fact => [name.replaceAll('_', ' '), oneLine(value)]),
  ];
}

function WhySection({ id }: { id: string }) {
  const why = useRead<Why>(`/v1/tasks/${id}/why`, { tree: true }, { every: slowly });
  return (
    <Section title="Why">
      <Read of={why}>{(data) => <WhyTree why={data} />}</Read>
    </Section>
  );
}

function HistorySection({ id }: { id: string }) {
  const history = useRead<Page<LogEvent>>(`/v1/tasks/${id}/history`, {}, { every: slowly });
  return (
    <Section title="History">
      <Read of={history}>
        {({ items }) => (
          <>
            <Timeline events={items} />
            <EventTable title="Events of this task" events={items} />
          </>
        )}
      </Read>
    </Section>
  );
}

export function TaskView() {
  const id = route.value.item;
  const isNumber = /^\d+$/.test(id);
  const reading = useRead<TaskDetail>(isNumber ? `/v1/tasks/${id}` : null);
  const error = isNumber
    ? reading.error
    : new ApiError(404, 'not_found', `'${id}' is no number of a task`, '');
  return (
    <>
      <h1>
        Task {id} <bdi>{reading.data?.label ?? ''}</bdi>
      </h1>
      <Read of={{ ...reading, error }}>
        {(task) => (
          <>
            <TaskActions task={task} />
            <div class="pair">
              <Section title="Request">
                <Facts facts={requestOf(task)} />
              </Section>
              <Section title="Course">
                <Facts facts={courseOf(task)} />
              </Section>
            </div>
            {task.output ? (
              <Section title="Output">
                <pre tabIndex={0}>{task.output}</pre>
              </Section>
            ) : null}
            <WhySection id={id} />
            <HistorySection id={id} />
          </>
        )}
      </Read>
    </>
  );
}
