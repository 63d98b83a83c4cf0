// How things stand: counts by state, what happens each second, what runs, how long it takes.
import {
  type Counts,
  type Overview,
  type Page,
  type Queue,
  type Rate,
  taskStates,
  type TaskRow,
} from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { rates, recent, seen } from '../live/events.ts';
import { Badge } from '../parts/badge.tsx';
import { Chart } from '../parts/chart.tsx';
import { Link } from '../parts/link.tsx';
import { Read } from '../parts/notice.tsx';
import { Section } from '../parts/section.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { duration, number, rounded, time } from '../parts/text.ts';
import { freshness, isPast } from '../time/moment.ts';
import { EventTable } from './event_table.tsx';
import { GpuBrief } from './gpu_brief.tsx';
import { StatsSection } from './stats.tsx';

const CountTiles = ({ counts }: { counts: Counts }) => (
  <ul class="tiles">
    {taskStates.map((state) => (
      <li key={state}>
        <Link to="tasks" parameters={{ state }}>
          <Badge state={state} />
          <strong data-count={state}>{number(counts[state])}</strong>
        </Link>
      </li>
    ))}
  </ul>
);

const rateColumns: Column<Rate>[] = [
  { name: 'A minute, of the last', cell: (row) => `${row.minutes} min` },
  { name: 'Submitted', isNumber: true, cell: (row) => rounded(row.enqueued_per_minute) },
  { name: 'Started', isNumber: true, cell: (row) => rounded(row.started_per_minute) },
  { name: 'Succeeded', isNumber: true, cell: (row) => rounded(row.succeeded_per_minute) },
  { name: 'Failed', isNumber: true, cell: (row) => rounded(row.failed_per_minute) },
];

const queueColumns: Column<Queue>[] = [
  {
    name: 'Queue',
    cell: (queue) => (
      <Link to="tasks" parameters={{ queue: queue.queue }}>
        {queue.queue}
      </Link>
    ),
  },
  { name: 'Ready', isNumber: true, cell: (queue) => number(queue.ready) },
  { name: 'Running', isNumber: true, cell: (queue) => number(queue.running) },
  { name: 'Waiting', isNumber: true, cell: (queue) => number(queue.waiting + queue.delayed) },
  { name: 'Failed', isNumber: true, cell: (queue) => number(queue.failed) },
  { name: 'State', cell: (queue) => <Badge state={queue.paused ? 'paused' : 'open to work'} /> },
];

const nameOf: Column<TaskRow> = {
  name: 'Task',
  cell: (row) => (
    <Link to="task" item={row.id}>
      {row.id} <bdi>{row.label}</bdi>
    </Link>
  ),
};
const runningColumns: Column<TaskRow>[] = [
  nameOf,
  { name: 'State', cell: (row) => <Badge state={row.state} /> },
  { name: 'Queue', cell: (row) => row.queue },
  { name: 'For', isNumber: true, cell: (row) => duration(row.running_us ?? 0) },
  {
    name: 'Done',
    isNumber: true,
    cell: (row) => (typeof row.permille === 'number' ? `${rounded(row.permille / 10)} %` : '–'),
  },
  { name: 'Worker', cell: (row) => row.worker ?? 'here' },
];
const endedColumns: Column<TaskRow>[] = [
  nameOf,
  { name: 'State', cell: (row) => <Badge state={row.state} /> },
  { name: 'Queue', cell: (row) => row.queue },
  { name: 'Ended', cell: (row) => time(row.ended_at) },
];

/** Of what came while the page was open: moves on with the clock of what is told. */
function RateChart() {
  void freshness.value;
  const { seconds, lines } = rates.at(Date.now());
  return (
    <Section
      title="Each second"
      aside={<span class="quiet">{number(seen.value)} events seen</span>}
    >
      <Chart title="Events a second, of the last two minutes" seconds={seconds} lines={lines} />
    </Section>
  );
}

/** What is not as it should be, in words. */
function Troubles({ overview }: { overview: Overview }) {
  const { circuits, components, health } = overview;
  if (circuits.length + components.length + health.reasons.length === 0) return null;
  return (
    <Section title="What is not well">
      <ul class="names">
        {health.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
        {circuits.map(({ service, state }) => (
          <li key={service}>
            <Link to="circuits">The circuit of {service}</Link> is <Badge state={state} />
          </li>
        ))}
        {components.map(({ component, implementation, state }) => (
          <li key={component + implementation}>
            <Link to="components">{component}</Link> ({implementation}) is <Badge state={state} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Now({ overview }: { overview: Overview }) {
  return (
    <>
      <div class="pair">
        <Section title="Queues">
          <Table
            title="Queues"
            rows={overview.queues}
            columns={queueColumns}
            rowKey={(row) => row.queue}
            empty="There is no queue: none had a task."
          />
        </Section>
        <Section title="Rates">
          <Table
            title="Rates"
            rows={overview.rates}
            columns={rateColumns}
            rowKey={(row) => row.minutes}
            empty="Nothing happened."
          />
        </Section>
      </div>
      <div class="pair">
        <Section
          title="Running"
          aside={
            overview.running_left_out > 0 ? (
              <span class="quiet">and {number(overview.running_left_out)} more</span>
            ) : null
          }
        >
          <Table
            title="Running"
            rows={overview.running}
            columns={runningColumns}
            rowKey={(row) => row.id}
            empty="Nothing runs."
          />
        </Section>
        <Section title="Ended last">
          <Table
            title="Ended last"
            rows={overview.ended}
            columns={endedColumns}
            rowKey={(row) => row.id}
            empty="Nothing has ended."
          />
        </Section>
      </div>
      <GpuBrief gpus={overview.gpus} />
    </>
  );
}

/** What an older daemon can tell: queues alone. */
function QueuesAlone() {
  const queues = useRead<Page<Queue>>('/v1/queues');
  return (
    <Read of={queues}>
      {(data) => (
        <Table
          title="Queues"
          rows={data.items}
          columns={queueColumns}
          rowKey={(row) => row.queue}
          empty="There is no queue: none had a task."
        />
      )}
    </Read>
  );
}

export function OverviewView() {
  const reading = useRead<Overview>('/v1/overview');
  const health = reading.data?.health.health;
  return (
    <>
      <h1>Overview {health ? <Badge state={health} /> : null}</h1>
      {reading.error?.isMissingRoute ? (
        <QueuesAlone />
      ) : (
        <Read of={reading}>
          {(data) => (
            <>
              <CountTiles counts={data.tasks} />
              <Troubles overview={data} />
            </>
          )}
        </Read>
      )}
      {isPast.value ? null : <RateChart />}
      {reading.data ? <Now overview={reading.data} /> : null}
      <StatsSection />
      {isPast.value ? null : (
        <Section title="Last events">
          <EventTable
            events={recent.value.slice(0, 12)}
            title="Last events"
            empty="None has come since this page was opened."
          />
        </Section>
      )}
    </>
  );
}
