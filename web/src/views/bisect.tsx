// Since when something is so: the first position at which a condition holds.
import type { Bisected } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { Link, ToPosition } from '../parts/link.tsx';
import { Empty, Read } from '../parts/notice.tsx';
import { Section } from '../parts/section.tsx';
import { Facts } from '../parts/facts.tsx';
import { number, oneLine, spaced, time } from '../parts/text.ts';
import { markA, markB } from '../time/moment.ts';
import { parameter, setParameters } from '../time/route.ts';

const examples = ['tasks.failed > 0', 'tasks.ready >= 100', 'exists(state == "failed")'];

function Found({ found, when }: { found: Bisected; when: string }) {
  const { event, position, states } = found;
  const task = event?.task;
  return (
    <Section title="It holds since">
      <p>
        <code>{when}</code> holds for the first time at position <ToPosition position={position} />.
        The button shows the world at that moment.
      </p>
      <Facts
        facts={[
          ['Event', event ? spaced(event.type) : ''],
          ['Time', event ? time(event.time) : ''],
          [
            'Task',
            typeof task === 'number' && task > 0 ? (
              <Link to="task" item={task}>
                {task}
              </Link>
            ) : (
              ''
            ),
          ],
          ['The event', event ? oneLine(event, 300) : ''],
          ['States looked at', number(states)],
        ]}
      />
    </Section>
  );
}

function BisectForm({ when, from, to }: { when: string; from: string; to: string }) {
  return (
    <form
      class="filters"
      role="search"
      aria-label="Since when"
      onSubmit={(event) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget);
        const text = (name: string) => String(form.get(name) ?? '').trim();
        setParameters({ when: text('when'), from: text('from'), to: text('to') });
      }}
    >
      <label class="wide">
        Condition
        <input
          key={when}
          type="search"
          name="when"
          defaultValue={when}
          data-search=""
          spellcheck={false}
          placeholder={examples[0] ?? ''}
        />
      </label>
      <label>
        From
        <input key={from} name="from" defaultValue={from} placeholder="the first" />
      </label>
      <label>
        To
        <input key={to} name="to" defaultValue={to} placeholder="the last" />
      </label>
      <button type="submit" class="primary">
        Find
      </button>
      <button
        type="button"
        disabled={markA.value === null || markB.value === null}
        title="Mark two moments on the bar above first"
        onClick={() => {
          const marks = [markA.value ?? 1, markB.value ?? 1].sort((a, b) => a - b);
          setParameters({ from: String(marks[0]), to: String(marks[1]) });
        }}
      >
        Between A and B
      </button>
    </form>
  );
}

export function BisectView() {
  const [when, from, to] = [parameter('when'), parameter('from'), parameter('to')];
  const reading = useRead<Bisected>(
    when ? '/v1/bisect' : null,
    { when, from, to },
    { hasPast: false, isLive: false },
  );
  return (
    <>
      <h1>Since when</h1>
      <BisectForm when={when} from={from} to={to} />
      {when ? (
        <Read of={reading}>{(found) => <Found found={found} when={when} />}</Read>
      ) : (
        <Empty>
          Ask since when something is so, by a condition about the whole state, such as{' '}
          {examples.map((each, i) => (
            <span key={each}>
              {i > 0 ? ', ' : ''}
              <button type="button" class="plain" onClick={() => setParameters({ when: each })}>
                {each}
              </button>
            </span>
          ))}
          . It has to hold from some moment on: then the first one is found in a few steps.
        </Empty>
      )}
    </>
  );
}
