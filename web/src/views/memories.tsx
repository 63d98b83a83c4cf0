// What programs remember, found by text, kind, tag and user.
import { useState } from 'preact/hooks';
import type { Memory, Page } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { type Action, ActionButton } from '../parts/action.tsx';
import { Link, ToPosition } from '../parts/link.tsx';
import { Read } from '../parts/notice.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { oneLine, rounded, time } from '../parts/text.ts';

const forget = ({ memory }: Memory): Action => ({
  name: 'Forget',
  question: `Forget memory ${memory}?`,
  sentence: 'It is found no more, not by the past either.',
  method: 'DELETE',
  path: `/v1/memories/${memory}`,
  isGrave: true,
});

const columns: Column<Memory>[] = [
  { name: 'Memory', isNumber: true, cell: (row) => row.memory },
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
  { name: 'Tags', cell: (row) => row.tags.join(', ') },
  { name: 'Significance', isNumber: true, cell: (row) => rounded(row.significance) },
  {
    name: 'Stored',
    cell: (row) => (
      <>
        {time(row.stored_at)} · <ToPosition position={row.stored} />
      </>
    ),
  },
  { name: 'Actions', cell: (row) => <ActionButton action={forget(row)} /> },
];

const fields = ['text', 'kind', 'tag', 'user'] as const;

export function MemoriesView() {
  const [asked, setAsked] = useState<Record<string, string>>({});
  const reading = useRead<Page<Memory>>('/v1/memories', { limit: 50, ...asked });
  return (
    <>
      <h1>Memories</h1>
      <form
        class="filters"
        role="search"
        aria-label="Memories"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          setAsked(Object.fromEntries(fields.map((name) => [name, String(form.get(name) ?? '')])));
        }}
      >
        {fields.map((name) => (
          <label key={name} class={name === 'text' ? 'wide' : ''}>
            {name}
            <input type="search" name={name} data-search={name === 'text' ? '' : undefined} />
          </label>
        ))}
        <button type="submit" class="primary">
          Search
        </button>
      </form>
      <Read of={reading}>
        {(found) => (
          <Table
            title="Memories"
            rows={found.items}
            columns={columns}
            rowKey={(row) => row.memory}
            empty="Nothing like that is remembered."
          />
        )}
      </Read>
    </>
  );
}
