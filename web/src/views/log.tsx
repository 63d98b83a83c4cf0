// The log: its events by position, filtered, the newest first; in the present it follows.
import { useEffect, useState } from 'preact/hooks';
import { Read } from '../parts/notice.tsx';
import { number } from '../parts/text.ts';
import { at } from '../time/moment.ts';
import { parameter, setParameters } from '../time/route.ts';
import { EventTable } from './event_table.tsx';
import { useLog } from './log_reading.ts';

const pageSize = 50;

function LogFilter({
  isFollowing,
  canFollow,
  follow,
}: {
  isFollowing: boolean;
  canFollow: boolean;
  follow: (wanted: boolean) => void;
}) {
  const type = parameter('type');
  const stream = parameter('stream');
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? '');
    setParameters({ type: text('type'), stream: text('stream') });
  };
  return (
    <form class="filters" role="search" aria-label="Log" onSubmit={onSubmit}>
      <label class="wide">
        Types, with commas between
        <input
          key={type}
          type="search"
          name="type"
          defaultValue={type}
          data-search=""
          placeholder="TaskFailed,TaskSucceeded"
          spellcheck={false}
        />
      </label>
      <label>
        Stream
        <input key={stream} type="search" name="stream" defaultValue={stream} />
      </label>
      <button type="submit" class="primary">
        Filter
      </button>
      <label class="inline">
        <input
          type="checkbox"
          checked={isFollowing}
          disabled={!canFollow}
          onChange={(event) => follow(event.currentTarget.checked)}
        />
        Follow
      </label>
    </form>
  );
}

/** How far back was looked for what is shown. */
function Reach({ to, isGoingOn }: { to: number | null; isGoingOn: boolean }) {
  if (to === null) return null;
  return (
    <p class="notice" role="status" aria-busy={isGoingOn}>
      Looked back to event {number(to)}
      {isGoingOn ? ', and on …' : '.'}
    </p>
  );
}

export function LogView() {
  const [trail, setTrail] = useState<string[]>([]);
  // Where it stands while it does not follow: whatever comes behind that position is not shown.
  const [stand, setStand] = useState<number | null>(null);
  const type = parameter('type');
  const stream = parameter('stream');
  const end = at.value;
  useEffect(() => setTrail([]), [type, stream, end]);
  const page = trail.at(-1) ?? '';
  const { reading, reach } = useLog({
    type,
    stream,
    to: end ?? stand,
    page,
    limit: pageSize,
    isLive: stand === null && end === null && page === '',
  });
  const older = reading.data?.next;
  return (
    <>
      <h1>Log</h1>
      <LogFilter
        isFollowing={stand === null}
        canFollow={end === null && reading.data !== null}
        follow={(isWanted) => setStand(isWanted ? null : reading.position)}
      />
      <Read of={reading}>
        {({ items, hint }) => (
          <>
            {items.length > 0 || reach === null ? (
              <EventTable title="Events" events={items} {...(hint ? { empty: hint } : {})} />
            ) : null}
            {items.length < pageSize ? <Reach to={reach} isGoingOn={items.length === 0} /> : null}
          </>
        )}
      </Read>
      <div class="row end">
        <button
          type="button"
          disabled={trail.length === 0}
          onClick={() => setTrail(trail.slice(0, -1))}
        >
          Newer
        </button>
        <button
          type="button"
          disabled={!older}
          onClick={() => older && setTrail([...trail, older])}
        >
          Older
        </button>
      </div>
    </>
  );
}
