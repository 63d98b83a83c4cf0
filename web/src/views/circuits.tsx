// Circuits of services that tasks call.
import type { Circuit, Page } from '../api/shapes.ts';
import { segment } from '../api/client.ts';
import { useRead } from '../api/use_read.ts';
import { type Action, ActionButton } from '../parts/action.tsx';
import { Badge } from '../parts/badge.tsx';
import { Read } from '../parts/notice.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { duration, number, time } from '../parts/text.ts';

const force = ({ service }: Circuit): Action => ({
  name: 'Force',
  question: `Force the circuit of ${service}?`,
  sentence: 'Forced open lets nothing through, forced closed everything; closed measures again.',
  method: 'POST',
  path: `/v1/circuits/${segment(service)}/force`,
  body: {},
  isGrave: true,
  fields: [
    { name: 'to', label: 'To', choices: ['forced_open', 'forced_closed', 'closed'] },
    { name: 'reason', label: 'Reason, for the log' },
  ],
});

const columns: Column<Circuit>[] = [
  { name: 'Service', cell: (row) => row.service },
  { name: 'State', cell: (row) => <Badge state={row.state} /> },
  { name: 'Since', cell: (row) => time(row.since) },
  { name: 'Until', cell: (row) => time(row.until) },
  { name: 'Successes', isNumber: true, cell: (row) => number(row.successes) },
  { name: 'Failures', isNumber: true, cell: (row) => number(row.failures) },
  { name: 'In a row', isNumber: true, cell: (row) => number(row.consecutive_failures) },
  { name: 'Opened', isNumber: true, cell: (row) => number(row.trips) },
  { name: 'Average', isNumber: true, cell: (row) => duration(row.average_us) },
  { name: 'Tasks waiting', isNumber: true, cell: (row) => number(row.waiting) },
  { name: 'Actions', cell: (row) => <ActionButton action={force(row)} /> },
];

export function CircuitsView() {
  const reading = useRead<Page<Circuit>>('/v1/circuits');
  return (
    <>
      <h1>Circuits</h1>
      <Read of={reading}>
        {(circuits) => (
          <Table
            title="Circuits"
            rows={circuits.items}
            columns={columns}
            rowKey={(row) => row.service}
            empty="No service is known that tasks call."
          />
        )}
      </Read>
    </>
  );
}
