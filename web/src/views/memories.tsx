// What programs remember, found by what it says and is, when it was stored and what it is like.
import { useState } from 'preact/hooks';
import type { Memory, Page } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { type Action, ActionButton } from '../parts/action.tsx';
import { Link, ToPosition } from '../parts/link.tsx';
import { Problem, Read } from '../parts/notice.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { oneLine, rounded, time } from '../parts/text.ts';
import { parameter, setParameters } from '../time/route.ts';
import { MemoryForm, similarity } from './memory_form.tsx';

const rowsMax = 50;

const forget = ({ memory }: Memory): Action => ({
  name: 'Forget',
  question: `Forget memory ${memory}?`,
  sentence: 'It is found no more, not by the past either.',
  method: 'DELETE',
  path: `/v1/memories/${memory}`,
  isGrave: true,
});

const hasVector = (row: Memory) => (row.embedding?.length ?? 0) > 0;

const columnsOf = (isCompared: boolean): Column<Memory>[] => [
  { name: 'Memory', isNumber: true, cell: (row) => row.memory },
  ...(isCompared
    ? [
        {
          name: 'Alike',
          isNumber: true,
          cell: (row: Memory) => similarity(row.similarity, isCompared),
        },
      ]
    : []),
  { name: 'Kind', cell: (row) => row.kind },
  {
    name: 'User',
    cell: (row) =>
      row.user ? (
        <Link to="contexts" item={row.user}>
          {row.user}
        </Link>
      ) : (
        '–'
      ),
  },
  { name: 'Content', cell: (row) => oneLine(row.summary || row.content, 160) },
  { name: 'Tags', cell: (row) => row.tags?.join(', ') ?? '' },
  { name: 'Significance', isNumber: true, cell: (row) => rounded(row.significance) },
  {
    name: 'Stored',
    cell: (row) => (
      <>
        {time(row.stored_at)} · <ToPosition position={row.stored} />
      </>
    ),
  },
  {
    name: 'Actions',
    cell: (row) => (
      <span class="actions">
        <button
          type="button"
          disabled={!hasVector(row)}
          title={hasVector(row) ? 'Entries that are like this one' : 'It has no vector'}
          onClick={() => setParameters({ like: String(row.memory) })}
        >
          Similar
        </button>
        <ActionButton action={forget(row)} />
      </span>
    ),
  },
];

/** As the daemon takes it: with the zone of who looks. */
const moment = (local: string) => (local ? new Date(local).toISOString() : undefined);

/** What was asked for, without what was left open. */
function asked(): Record<string, string> {
  const said = {
    ...Object.fromEntries(['text', 'kind', 'tag', 'user'].map((name) => [name, parameter(name)])),
    stored_since: moment(parameter('since')),
    stored_until: moment(parameter('until')),
  };
  return Object.fromEntries(
    Object.entries(said).filter((pair): pair is [string, string] => Boolean(pair[1])),
  );
}

export function MemoriesView() {
  const [pasted, setPasted] = useState<number[]>([]);
  const like = parameter('like');
  const origin = useRead<Memory>(like ? `/v1/memories/${like}` : null, {}, { isLive: false });
  const embedding = like ? (origin.data?.embedding ?? []) : pasted;
  const isCompared = embedding.length > 0;
  const filter = asked();
  // One of the two is asked: a vector is too long for an address.
  const listed = useRead<Page<Memory>>(like || isCompared ? null : '/v1/memories', {
    limit: rowsMax,
    ...filter,
  });
  const found = useRead<Page<Memory>>(
    isCompared ? '/v1/memories/search' : null,
    {},
    { body: { limit: rowsMax, ...filter, embedding } },
  );
  const reading = like || isCompared ? found : listed;
  return (
    <>
      <h1>Memories</h1>
      <MemoryForm onVector={setPasted} />
      {like && origin.error ? <Problem error={origin.error} /> : null}
      {like && origin.data && !isCompared ? (
        <p class="notice">Memory {like} has no vector: nothing can be like it.</p>
      ) : null}
      {isCompared || !like ? (
        <Read of={reading}>
          {({ items }) => (
            <Table
              title="Memories"
              rows={items}
              columns={columnsOf(isCompared)}
              rowKey={(row) => row.memory}
              empty="Nothing like that is remembered."
            />
          )}
        </Read>
      ) : null}
    </>
  );
}
