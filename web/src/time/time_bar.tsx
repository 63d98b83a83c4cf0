// The bar over every view: which moment is shown, the line to drag on, play, the two marks and the
// way back to the present.
import { useEffect, useState } from 'preact/hooks';
import type { LogEvent, Page } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { connection } from '../live/events.ts';
import { Link } from '../parts/link.tsx';
import { number, spaced, time } from '../parts/text.ts';
import {
  at,
  firstShown,
  goLive,
  goTo,
  head,
  isPast,
  mark,
  markA,
  markB,
  standing,
} from './moment.ts';
import { isPlaying, pause, play, speed, speeds } from './player.ts';
import {
  eventScale,
  type ScaleKind,
  shownPart,
  timeAt,
  type Timeline,
  timeScale,
} from './scale.ts';
import { Track } from './track.tsx';

const bucketCount = 240;
/** Where under the line the time is told. */
const ticks = [0, 0.25, 0.5, 0.75, 1];
const noTimeline: Timeline = { first: 1, last: 0, first_time: null, last_time: null, buckets: [] };
/** It moves on by itself as events come: it is read again for its shape alone. */
const timelineEvery = 2000;

/** The timeline; without one, which an older daemon has not, the first and the last position. */
function useTimeline(): Timeline {
  const reading = useRead<Timeline>(
    '/v1/timeline',
    { buckets: bucketCount },
    { hasPast: false, every: timelineEvery },
  );
  const isOffered = !reading.error?.isMissingRoute;
  const oldest = useRead<Page<LogEvent>>(
    isOffered ? null : '/v1/log',
    { limit: 1 },
    { hasPast: false, isLive: false },
  );
  if (reading.data) return shownPart(reading.data);
  const first = oldest.data?.items[0];
  return first ? { ...noTimeline, first: first.position, first_time: first.time } : noTimeline;
}

/** The event one stands at, and those one stands behind while nothing is known of it. */
function useEventHere(): LogEvent | null {
  const here = at.value;
  const reading = useRead<Page<LogEvent>>(
    here === null ? null : '/v1/log',
    { from: here ?? 1, to: here ?? 1, limit: 1 },
    { hasPast: false, isLive: false },
  );
  return here === null ? null : (reading.data?.items[0] ?? null);
}

function Marks() {
  const a = markA.value;
  const b = markB.value;
  return (
    <span class="marks">
      <button
        type="button"
        title="Mark this moment as A"
        aria-pressed={a !== null}
        onClick={() => mark('a', standing.value)}
      >
        Mark A{a !== null ? `: ${number(a)}` : ''}
      </button>
      <button
        type="button"
        title="Mark this moment as B"
        aria-pressed={b !== null}
        onClick={() => mark('b', standing.value)}
      >
        Mark B{b !== null ? `: ${number(b)}` : ''}
      </button>
      {a !== null && b !== null ? <Link to="difference">What changed</Link> : null}
      {a !== null || b !== null ? (
        <button
          type="button"
          onClick={() => {
            mark('a', null);
            mark('b', null);
          }}
        >
          No marks
        </button>
      ) : null}
    </span>
  );
}

function Player({ first }: { first: number }) {
  return (
    <span class="player">
      <button
        type="button"
        aria-label="One event back"
        title="One event back"
        disabled={standing.value <= first}
        onClick={() => {
          pause();
          goTo(standing.value - 1);
        }}
      >
        <span aria-hidden="true">‹</span>
      </button>
      <button type="button" class="play" onClick={() => (isPlaying.value ? pause() : play(first))}>
        <span aria-hidden="true">{isPlaying.value ? '‖' : '▶'}</span>{' '}
        {isPlaying.value ? 'Pause' : 'Play'}
      </button>
      <button
        type="button"
        aria-label="One event on"
        title="One event on"
        disabled={!isPast.value}
        onClick={() => {
          pause();
          goTo(standing.value + 1);
        }}
      >
        <span aria-hidden="true">›</span>
      </button>
      <label class="inline">
        <span class="quiet">at</span>
        <select
          aria-label="Events a second"
          value={String(speed.value)}
          onChange={(event) => {
            speed.value = Number(event.currentTarget.value);
          }}
        >
          {speeds.map((each) => (
            <option key={each} value={String(each)}>
              {each}/s
            </option>
          ))}
        </select>
      </label>
    </span>
  );
}

export function TimeBar() {
  const timeline = useTimeline();
  useEffect(() => {
    firstShown.value = timeline.first;
    // An address may name a moment that has been trimmed since.
    if (at.value !== null && at.value < timeline.first) goTo(timeline.first);
  }, [timeline.first, at.value]);
  const [kind, setKind] = useState<ScaleKind>('events');
  const event = useEventHere();
  const last = Math.max(head.value, timeline.last, 1);
  const { first } = timeline;
  const scale =
    kind === 'time' && timeline.buckets.length > 0
      ? timeScale(timeline, last)
      : eventScale(first, last);
  const isCutOff = !isPast.value && connection.value === 'lost';
  const told = isPast.value
    ? `event ${number(standing.value)} of ${number(last)}` +
      (event ? `, ${time(event.time)}, ${spaced(event.type)}` : '')
    : isCutOff
      ? `event ${number(last)} was the last to come`
      : `now, event ${number(last)}`;
  useEffect(() => {
    document.body.classList.toggle('past', isPast.value);
  }, [isPast.value]);
  return (
    <section class="time-bar" aria-label="Time">
      <div class="row">
        <strong class="moment" id="moment">
          <span aria-hidden="true">{isPast.value ? '◷' : isCutOff ? '✕' : '●'}</span>{' '}
          {isPast.value ? 'Past: ' : isCutOff ? 'Cut off: ' : 'Live: '}
          {told}
        </strong>
        <Player first={first} />
        <button
          type="button"
          class="primary"
          disabled={!isPast.value}
          onClick={() => {
            pause();
            goLive();
          }}
        >
          Live
        </button>
        <Marks />
        <label class="inline">
          <span class="quiet">scale</span>
          <select
            aria-label="Scale of the slider"
            value={kind}
            onChange={(changed) => setKind(changed.currentTarget.value as ScaleKind)}
          >
            <option value="events">events</option>
            <option value="time">time</option>
          </select>
        </label>
      </div>
      <Track timeline={timeline} scale={scale} told={told} />
      <div class="row ends quiet">
        {ticks.map((share) => (
          <span key={share}>{time(timeAt(timeline, scale, share) ?? timeline.first_time)}</span>
        ))}
      </div>
    </section>
  );
}
