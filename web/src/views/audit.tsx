// Who asked for what through which door, and who was turned away: counts of all, the last in words.
import type { Audit, AuditCounts, AuditEntry } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { ToPosition } from '../parts/link.tsx';
import { Read } from '../parts/notice.tsx';
import { Section } from '../parts/section.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { number, spaced, time } from '../parts/text.ts';
import { parameter, setParameters } from '../time/route.ts';

const rowsMax = 200;

interface Principal extends AuditCounts {
  name: string;
}

const nameOf = (principal: string) => principal || '(nobody is known)';

const principalColumns: Column<Principal>[] = [
  {
    name: 'Who',
    cell: (row) =>
      row.name ? (
        <button
          type="button"
          class="plain"
          title="Show what this one asked for alone"
          onClick={() => setParameters({ principal: row.name })}
        >
          {row.name}
        </button>
      ) : (
        nameOf('')
      ),
  },
  { name: 'Requests', isNumber: true, cell: (row) => number(row.requests) },
  { name: 'Refused', isNumber: true, cell: (row) => number(row.refusals) },
  { name: 'Last', cell: (row) => time(row.last_at) },
  { name: 'At', isNumber: true, cell: (row) => <ToPosition position={row.last} /> },
];

const entryColumns: Column<AuditEntry>[] = [
  { name: 'Position', isNumber: true, cell: (row) => <ToPosition position={row.position} /> },
  { name: 'Time', cell: (row) => time(row.at) },
  { name: 'Who', cell: (row) => nameOf(row.principal) },
  { name: 'Door', cell: (row) => row.door },
  { name: 'Action', cell: (row) => <code>{row.action}</code> },
  { name: 'Of', cell: (row) => row.subject ?? '' },
  { name: 'Times', isNumber: true, cell: (row) => number(row.count ?? 1 + (row.left_out ?? 0)) },
  { name: 'From', cell: (row) => row.remote },
];

const refusalColumns: Column<AuditEntry>[] = [
  ...entryColumns.filter(({ name }) => name !== 'Of'),
  {
    name: 'Why not',
    cell: (row) => `✕ ${spaced(row.reason ?? '')}${row.status ? ` (${row.status})` : ''}`,
  },
];

function Entries({ title, rows, empty }: { title: string; rows: AuditEntry[]; empty: string }) {
  return (
    <Section title={title}>
      <Table
        title={title}
        rows={rows.slice(0, rowsMax)}
        columns={rows[0]?.reason ? refusalColumns : entryColumns}
        rowKey={(row) => row.position}
        empty={empty}
      />
      {rows.length > rowsMax ? (
        <p class="quiet">
          The last {rowsMax} of {number(rows.length)}; all of them are in the log.
        </p>
      ) : null}
    </Section>
  );
}

function Of({ audit }: { audit: Audit }) {
  const principals = Object.entries(audit.principals).map(([name, counts]) => ({
    name,
    ...counts,
  }));
  return (
    <>
      <Section title="Who asked">
        <Table
          title="Who asked"
          rows={principals}
          columns={principalColumns}
          rowKey={(row) => row.name}
          empty="Nobody has asked for a change."
        />
      </Section>
      <Entries
        title="Refused"
        rows={audit.items.filter((row) => row.reason)}
        empty="Nobody was turned away."
      />
      <Entries
        title="Asked for"
        rows={audit.items.filter((row) => !row.reason)}
        empty="Nothing was asked for."
      />
    </>
  );
}

export function AuditView() {
  const principal = parameter('principal');
  const reading = useRead<Audit>('/v1/audit', { principal }, { every: 1000 });
  return (
    <>
      <h1>Audit</h1>
      <form
        class="filters"
        role="search"
        aria-label="Audit"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          setParameters({ principal: String(form.get('principal') ?? '') });
        }}
      >
        <label class="wide">
          Who
          <input
            key={principal}
            type="search"
            name="principal"
            defaultValue={principal}
            data-search=""
            placeholder="anybody"
          />
        </label>
        <button type="submit" class="primary">
          Show
        </button>
      </form>
      <Read of={reading}>{(audit) => <Of audit={audit} />}</Read>
    </>
  );
}
