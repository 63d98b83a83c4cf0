// What is known of users.
import type { Page } from '../api/shapes.ts';
import { segment } from '../api/client.ts';
import { useRead } from '../api/use_read.ts';
import { type Fact, Facts } from '../parts/facts.tsx';
import { Link } from '../parts/link.tsx';
import { Read } from '../parts/notice.tsx';
import { Section } from '../parts/section.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { number, oneLine } from '../parts/text.ts';
import { go, route } from '../time/route.ts';

interface Known {
  user?: string;
  [other: string]: unknown;
}

interface Turn {
  role?: string;
  text?: string;
  [other: string]: unknown;
}

const turnColumns: Column<Turn>[] = [
  { name: 'Who', cell: (turn) => turn.role ?? '' },
  { name: 'What', cell: (turn) => oneLine(turn.text ?? turn, 400) },
];

function factsOf(context: Known): Fact[] {
  return Object.entries(context).flatMap(([name, value]): Fact[] => {
    if (Array.isArray(value)) return [];
    if (value !== null && typeof value === 'object') {
      return Object.entries(value).map(([key, each]): Fact => [`${name}: ${key}`, oneLine(each)]);
    }
    return [[name.replaceAll('_', ' '), oneLine(value)]];
  });
}

function One({ user }: { user: string }) {
  const reading = useRead<Known>(`/v1/contexts/${segment(user)}`);
  return (
    <Section title={`Context of ${user}`}>
      <Read of={reading}>
        {(context) => {
          const turns = Object.values(context).find(Array.isArray) as Turn[] | undefined;
          return (
            <>
              <Facts facts={factsOf(context)} />
              {turns ? (
                <Table
                  title="Conversation"
                  rows={turns.map((turn, i) => ({ ...turn, i }))}
                  columns={turnColumns}
                  rowKey={(turn) => Number(turn.i)}
                  empty="Nothing was said."
                />
              ) : null}
            </>
          );
        }}
      </Read>
    </Section>
  );
}

function Users() {
  const reading = useRead<Page<Known>>('/v1/contexts', { limit: 200 });
  return (
    <Section title="Users">
      <Read of={reading}>
        {(users) => (
          <ul class="names">
            {users.items.map(({ user = '', turns_added: turns }) => (
              <li key={user}>
                <Link to="contexts" item={user}>
                  {user}
                </Link>{' '}
                <span class="quiet">{number(Number(turns ?? 0))} turns</span>
              </li>
            ))}
            {users.items.length === 0 ? <li>Nothing is known of anybody.</li> : null}
          </ul>
        )}
      </Read>
    </Section>
  );
}

export function ContextsView() {
  const user = route.value.item;
  return (
    <>
      <h1>Contexts</h1>
      <form
        class="filters"
        role="search"
        aria-label="Contexts"
        onSubmit={(event) => {
          event.preventDefault();
          go('contexts', String(new FormData(event.currentTarget).get('user') ?? ''));
        }}
      >
        <label class="wide">
          User
          <input key={user} type="search" name="user" defaultValue={user} data-search="" />
        </label>
        <button type="submit" class="primary">
          Show
        </button>
      </form>
      {user ? <One user={user} /> : <Users />}
    </>
  );
}
