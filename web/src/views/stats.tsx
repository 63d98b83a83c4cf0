// Waits and runs by queue, and what should be done next.
import type { Page, Recommended, Stats } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { Link } from '../parts/link.tsx';
import { Read } from '../parts/notice.tsx';
import { Section } from '../parts/section.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { duration, number, rounded } from '../parts/text.ts';
import { standing } from '../time/moment.ts';
import { countedSince } from './counted.ts';
import { Factors } from './next.tsx';

/** It counts through a part of the log. */
const slowly = 4000;

const statColumns: Column<Stats>[] = [
  { name: 'Queue', cell: (row) => row.queue ?? 'all' },
  { name: 'Submitted', isNumber: true, cell: (row) => number(row.submitted) },
  { name: 'Succeeded', isNumber: true, cell: (row) => number(row.succeeded) },
  { name: 'Failed', isNumber: true, cell: (row) => number(row.failed) },
  { name: 'Wait, median', isNumber: true, cell: (row) => duration(row.wait.p50_us) },
  { name: 'Wait, 95 of 100', isNumber: true, cell: (row) => duration(row.wait.p95_us) },
  { name: 'Run, median', isNumber: true, cell: (row) => duration(row.run.p50_us) },
  { name: 'Run, 95 of 100', isNumber: true, cell: (row) => duration(row.run.p95_us) },
];

const nextColumns: Column<Recommended>[] = [
  {
    name: 'Task',
    cell: (row) => (
      <Link to="task" item={row.id}>
        {row.id} <bdi>{row.label}</bdi>
      </Link>
    ),
  },
  { name: 'Queue', cell: (row) => row.queue },
  { name: 'Score', isNumber: true, cell: (row) => rounded(row.score) },
  {
    name: 'Because of',
    cell: (row) => <Factors of={row} />,
  },
];

export function StatsSection() {
  const since = countedSince(standing.value);
  const stats = useRead<Page<Stats>>('/v1/stats', { since: since || null }, { every: slowly });
  const next = useRead<Page<Recommended>>('/v1/recommend', { limit: 8 }, { every: slowly });
  return (
    <>
      <Section title="To be done next">
        <Read of={next}>
          {(data) => (
            <Table
              title="To be done next"
              rows={data.items}
              columns={nextColumns}
              rowKey={(row) => row.id}
              empty="Nothing is ready."
            />
          )}
        </Read>
      </Section>
      <Section
        title="Waits and runs"
        aside={since ? <span class="quiet">since event {number(since)}</span> : null}
      >
        <Read of={stats}>
          {(data) => (
            <Table
              title="Waits and runs by queue"
              rows={data.items}
              columns={statColumns}
              rowKey={(row) => row.queue ?? '*'}
              empty="There was no task."
            />
          )}
        </Read>
      </Section>
    </>
  );
}
