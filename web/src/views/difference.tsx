// What is otherwise at mark B than it was at mark A.
import type { Difference } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { Link, ToPosition } from '../parts/link.tsx';
import { Empty, Read } from '../parts/notice.tsx';
import { Section } from '../parts/section.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { number, oneLine, spaced, time } from '../parts/text.ts';
import { mark, markA, markB } from '../time/moment.ts';
import { type Change, changesIn } from './changes.ts';

const rowsMax = 500;

/** Times as people read them, the rest in one line. */
const told = (value: unknown) =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? time(value) : oneLine(value);

const byName = new Intl.Collator('en', { numeric: true }).compare;

function columnsOf(part: string): Column<Change>[] {
  return [
    {
      name: part,
      cell: ({ what }) =>
        part === 'tasks' ? (
          <Link to="task" item={what}>
            {what}
          </Link>
        ) : (
          what
        ),
    },
    { name: 'Field', cell: ({ field }) => field.replaceAll('_', ' ') },
    { name: 'Before', cell: ({ before }) => told(before) },
    { name: 'After', cell: ({ after }) => <strong>{told(after)}</strong> },
  ];
}

function Part({ part, things }: { part: string; things: Record<string, unknown> }) {
  const changes = Object.entries(things)
    .sort(([a], [b]) => byName(a, b))
    .flatMap(([what, tree]) => changesIn(tree, what));
  return (
    <Section title={`${spaced(part)}: ${number(Object.keys(things).length)} changed`}>
      <Table
        title={`Changes of ${part}`}
        rows={changes.slice(0, rowsMax)}
        columns={columnsOf(part)}
        rowKey={({ what, field }) => `${what} ${field}`}
        empty="Nothing changed."
      />
      {changes.length > rowsMax ? (
        <p class="quiet">
          The first {rowsMax} of {number(changes.length)} values.
        </p>
      ) : null}
    </Section>
  );
}

export function DifferenceView() {
  const a = markA.value;
  const b = markB.value;
  const isMarked = a !== null && b !== null;
  const reading = useRead<Difference>(
    isMarked ? '/v1/diff' : null,
    { from: a, to: b },
    { hasPast: false, isLive: false },
  );
  return (
    <>
      <h1>Difference</h1>
      {isMarked ? (
        <>
          <p>
            From A, position <ToPosition position={a} />, to B, position <ToPosition position={b} />
            .{' '}
            <button
              type="button"
              onClick={() => {
                mark('a', b);
                mark('b', a);
              }}
            >
              Swap
            </button>
          </p>
          <Read of={reading}>
            {({ changes }) =>
              Object.keys(changes).length === 0 ? (
                <Empty>Nothing is otherwise.</Empty>
              ) : (
                Object.entries(changes).map(([part, things]) => (
                  <Part key={part} part={part} things={things} />
                ))
              )
            }
          </Read>
        </>
      ) : (
        <Empty>Mark two moments as A and B on the bar above (keys a and b), then look here.</Empty>
      )}
    </>
  );
}
