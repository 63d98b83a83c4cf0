// Waits and runs by queue, and what should be done next.
import type { Page, Recommended, Stats } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { Link } from '../parts/link.tsx';
import { Read } from '../parts/notice.tsx';
import { Section } from '../parts/section.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { duration, number, rounded } from '../parts/text.ts';

/** It counts through the log. */
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
        {row.id} {row.label}
      </Link>
    ),
  },
  { name: 'Queue', cell: (row) => row.queue },
  { name: 'Score', isNumber: true, cell: (row) => rounded(row.score) },
  {
    name: 'Because of',
    cell: (row) =>
      Object.entries(row.factors)
        .map(([name, points]) => `${name} ${rounded(points)}`)
        .join(', ') || row.policy,
  },
];

export function StatsSection() {
  const stats = useRead<Page<Stats>>('/v1/stats', {}, { every: slowly });
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
      <Section title="Waits and runs">
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
