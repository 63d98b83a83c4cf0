// Archives of the log: what is there, and which part of the log's time they hold.
import type { Coverage, Page, Repository, Snapshot } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { Badge } from '../parts/badge.tsx';
import { ToPosition } from '../parts/link.tsx';
import { Empty, Read } from '../parts/notice.tsx';
import { Section } from '../parts/section.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { bytes, time } from '../parts/text.ts';
import { head } from '../time/moment.ts';

/** Every file of a repository is looked at. */
const slowly = 10_000;

const columns: Column<Snapshot>[] = [
  { name: 'Snapshot', isNumber: true, cell: (row) => row.snapshot },
  { name: 'State', cell: (row) => <Badge state={row.whole ? 'good' : 'damaged'} /> },
  { name: 'Made', cell: (row) => time(row.made_at) },
  {
    name: 'Positions',
    cell: (row) =>
      row.last === undefined ? (
        '–'
      ) : (
        <>
          {row.first} to <ToPosition position={row.last} />
        </>
      ),
  },
  { name: 'Up to', cell: (row) => time(row.last_time) },
  { name: 'Size', isNumber: true, cell: (row) => bytes(row.bytes) },
  { name: 'New', isNumber: true, cell: (row) => bytes(row.new_bytes) },
  { name: 'Tag', cell: (row) => row.tag ?? '' },
  { name: 'Damage', cell: (row) => row.damage?.join('; ') ?? '' },
];

/** What is drawn is also said: which positions are held, and how much is in the log alone. */
function CoverageLine({ coverage }: { coverage: Coverage }) {
  const end = Math.max(head.value, ...coverage.ranges.map((range) => range.last), 1);
  const last = Math.max(0, ...coverage.ranges.map((range) => range.last));
  return (
    <figure class="coverage">
      <svg viewBox="0 0 1000 16" preserveAspectRatio="none" aria-hidden="true">
        <rect class="back" width="1000" height="16" />
        {coverage.ranges.map((range) => (
          <rect
            key={range.first}
            class="held"
            height="16"
            x={(1000 * (range.first - 1)) / end}
            width={Math.max(2, (1000 * (range.last - range.first + 1)) / end)}
          />
        ))}
      </svg>
      <figcaption>
        Held: {coverage.ranges.map((range) => `${range.first} to ${range.last}`).join(', ')}.
        {end > last ? ` In the log alone: ${end - last} events.` : ' Nothing is in the log alone.'}
      </figcaption>
    </figure>
  );
}

function One({ repository }: { repository: Repository }) {
  const { error, snapshots = [], coverage = [], encrypted } = repository;
  return (
    <Section
      title={repository.repository}
      aside={encrypted ? <span class="quiet">encrypted</span> : null}
    >
      {error ? (
        <p class="notice bad" role="alert">
          {error}
        </p>
      ) : null}
      {coverage.map((each) => (
        <CoverageLine key={each.timeline} coverage={each} />
      ))}
      <Table
        title={`Snapshots in ${repository.repository}`}
        rows={snapshots}
        columns={columns}
        rowKey={(row) => row.snapshot}
        empty="There is no snapshot in it yet."
      />
    </Section>
  );
}

export function SnapshotsView() {
  const reading = useRead<Page<Repository>>('/v1/snapshots', {}, { hasPast: false, every: slowly });
  return (
    <>
      <h1>Snapshots</h1>
      <Read of={reading}>
        {(data) =>
          data.items.length === 0 ? (
            <Empty>
              No repository of snapshots is known here: name some as repositories of [snapshots] in
              the daemon's file, or let a backup job write one.
            </Empty>
          ) : (
            data.items.map((each) => <One key={each.repository} repository={each} />)
          )
        }
      </Read>
    </>
  );
}
