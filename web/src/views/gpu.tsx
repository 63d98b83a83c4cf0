// GPUs, their memory over time, and the models in it.
import type { Gpu, GpuHeap, Model, Page } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { ActionButton } from '../parts/action.tsx';
import { Badge } from '../parts/badge.tsx';
import { Chart } from '../parts/chart.tsx';
import { Facts } from '../parts/facts.tsx';
import { Link } from '../parts/link.tsx';
import { Meter } from '../parts/meter.tsx';
import { Empty, Read } from '../parts/notice.tsx';
import { Section } from '../parts/section.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { bytes, number, time } from '../parts/text.ts';
import { actionsOf } from './model.tsx';

function Heap({ heap, index }: { heap: GpuHeap; index: number }) {
  const samples = heap.samples ?? [];
  const used = heap.used ?? heap.own ?? 0;
  return (
    <div class="heap">
      <h3>
        Heap {index} {heap.is_local ? '(on the device)' : '(of the machine)'}
      </h3>
      <Meter used={used} size={heap.size} text={`${bytes(used)} of ${bytes(heap.size)} in use`} />
      <Facts
        facts={[
          ['Level', <Badge state={heap.level} />],
          ['By us', bytes(heap.own)],
          ['By others', bytes(heap.others)],
          ['Budget', `${bytes(heap.budget)}${heap.is_estimate ? ', an estimate' : ''}`],
          ['Available', bytes(heap.available)],
        ]}
      />
      {samples.length > 1 ? (
        <Chart
          title="Memory"
          height={150}
          format={bytes}
          seconds={samples.map((sample) => Date.parse(sample.at) / 1000)}
          lines={[
            { name: 'by us', values: samples.map((sample) => sample.own), isArea: true },
            { name: 'budget', values: samples.map((sample) => sample.budget) },
          ]}
        />
      ) : null}
    </div>
  );
}

const columns: Column<Model>[] = [
  {
    name: 'Model',
    cell: (row) => (
      <Link to="model" item={row.model}>
        {row.model}
      </Link>
    ),
  },
  { name: 'State', cell: (row) => <Badge state={row.state} /> },
  { name: 'GPU', cell: (row) => row.gpu ?? '–' },
  { name: 'Size', isNumber: true, cell: (row) => bytes(row.learned || row.bytes) },
  { name: 'Reserved', isNumber: true, cell: (row) => bytes(row.reserved) },
  { name: 'Pinned', cell: (row) => (row.pinned ? 'yes' : 'no') },
  { name: 'Uses', isNumber: true, cell: (row) => number(row.uses) },
  { name: 'Last use', cell: (row) => time(row.used_at) },
  { name: 'Loads', isNumber: true, cell: (row) => number(row.loads) },
  { name: 'Gave way', isNumber: true, cell: (row) => number(row.evictions) },
  { name: 'Failures', isNumber: true, cell: (row) => number(row.failures) },
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

export function GpuView() {
  const gpus = useRead<Page<Gpu>>('/v1/gpu', { samples: true });
  const models = useRead<Page<Model>>('/v1/models');
  return (
    <>
      <h1>GPU and models</h1>
      <Read of={gpus}>
        {(data) =>
          data.items.length === 0 ? (
            <Empty>No GPU is watched: set engine.gpu_watch in the daemon's file.</Empty>
          ) : (
            data.items.map((gpu) => (
              <Section key={gpu.device} title={gpu.name} aside={<Badge state={gpu.presence} />}>
                <Facts facts={[['Given to tasks', bytes(gpu.held_by_tasks)]]} />
                {gpu.heaps.map((heap, i) => (
                  <Heap key={i} heap={heap} index={i} />
                ))}
              </Section>
            ))
          )
        }
      </Read>
      <Section title="Models">
        <Read of={models}>
          {(data) => (
            <Table
              title="Models"
              rows={data.items}
              columns={columns}
              rowKey={(row) => row.model}
              empty="No model is registered."
            />
          )}
        </Read>
      </Section>
    </>
  );
}
