// What became of the instances of pools.
import type { Page, Pool } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { Read } from '../parts/notice.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { number, spaced, time } from '../parts/text.ts';

function retired({ retired: why }: Pool): string {
  if (typeof why === 'number') return number(why);
  const reasons = Object.entries(why).filter(([, times]) => times > 0);
  return reasons.map(([reason, times]) => `${number(times)} ${spaced(reason)}`).join(', ') || '0';
}

const columns: Column<Pool>[] = [
  { name: 'Pool', cell: (row) => row.pool },
  { name: 'Alive', isNumber: true, cell: (row) => number(row.alive) },
  { name: 'Made', isNumber: true, cell: (row) => number(row.created) },
  { name: 'Not made', isNumber: true, cell: (row) => number(row.failed) },
  { name: 'Retired', cell: retired },
  { name: 'Exhausted', isNumber: true, cell: (row) => number(row.exhausted) },
  { name: 'Changed', cell: (row) => time(row.changed_at) },
];

export function PoolsView() {
  const reading = useRead<Page<Pool>>('/v1/pools');
  return (
    <>
      <h1>Pools</h1>
      <Read of={reading}>
        {(pools) => (
          <Table
            title="Pools"
            rows={pools.items}
            columns={columns}
            rowKey={(row) => row.pool}
            empty="No program keeps a pool here."
          />
        )}
      </Read>
    </>
  );
}
