// Where on the slider a position lies: evenly by event, or by time as the timeline's buckets tell
// it.

export interface TimelineBucket {
  first: number;
  last: number;
  /** Of its first event. */
  time: string;
  failed?: number;
}

/** What GET /v1/timeline answers: buckets of equally many events, each with its first one. */
export interface Timeline {
  first: number;
  last: number;
  /** The oldest moment that can be shown, where that is not the first event: what lies before the
   * oldest state of a trimmed log is known by its events alone. */
  first_state?: number;
  first_time: string | null;
  last_time: string | null;
  buckets: TimelineBucket[];
}

/** The part of it whose moments can be shown. */
export function shownPart(timeline: Timeline): Timeline {
  const first = Math.max(timeline.first, timeline.first_state ?? timeline.first);
  if (first === timeline.first) return timeline;
  const buckets = timeline.buckets
    .filter((bucket) => bucket.last >= first)
    .map((bucket) => (bucket.first < first ? { ...bucket, first } : bucket));
  return { ...timeline, first, first_time: buckets[0]?.time ?? timeline.last_time, buckets };
}

export type ScaleKind = 'events' | 'time';

/** From a share of the width, 0 to 1, to a position and back. */
export interface Scale {
  first: number;
  last: number;
  positionAt: (share: number) => number;
  shareOf: (position: number) => number;
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

export function eventScale(first: number, last: number): Scale {
  const width = Math.max(1, last - first);
  return {
    first,
    last,
    positionAt: (share) => Math.round(first + clamp(share, 0, 1) * width),
    shareOf: (position) => clamp((position - first) / width, 0, 1),
  };
}

/** Rising in both: what stands between two points is thought to be even. */
function interpolate(from: number[], to: number[], value: number): number {
  let low = 0;
  let high = from.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((from[middle] ?? 0) <= value) low = middle;
    else high = middle;
  }
  const [a = 0, b = 0, x = 0, y = 0] = [from[low], from[high], to[low], to[high]];
  return b > a ? x + ((y - x) * (value - a)) / (b - a) : y;
}

export function timeScale(timeline: Timeline, last: number): Scale {
  const { first_time: begin, last_time: end } = timeline;
  if (!begin || !end || timeline.buckets.length === 0) {
    return eventScale(timeline.first || 1, Math.max(1, last));
  }
  const from = Date.parse(begin);
  const width = Math.max(1, Date.parse(end) - from);
  const shares = [...timeline.buckets.map((each) => (Date.parse(each.time) - from) / width), 1];
  const positions = [...timeline.buckets.map((each) => each.first), timeline.last];
  return {
    first: timeline.first,
    last: timeline.last,
    positionAt: (share) =>
      clamp(
        Math.round(interpolate(shares, positions, clamp(share, 0, 1))),
        timeline.first,
        timeline.last,
      ),
    shareOf: (position) => clamp(interpolate(positions, shares, position), 0, 1),
  };
}

/** Of each bucket: where it lies, from 0 to 1, and how many events a second it has. */
export interface Density {
  from: number;
  to: number;
  rate: number;
  failed: number;
}

/** Times closer together are one moment: no rate is higher than the events of a millisecond. */
const secondsMin = 0.001;

export function densities(timeline: Timeline, scale: Scale): Density[] {
  const { buckets } = timeline;
  return buckets.map((bucket, i) => {
    const next = buckets[i + 1];
    const endTime = next?.time ?? timeline.last_time ?? bucket.time;
    const seconds = Math.max(secondsMin, (Date.parse(endTime) - Date.parse(bucket.time)) / 1000);
    return {
      from: scale.shareOf(bucket.first),
      to: scale.shareOf(next?.first ?? bucket.last),
      rate: (bucket.last - bucket.first + 1) / seconds,
      failed: bucket.failed ?? 0,
    };
  });
}

/** When it was about there: the time of the bucket that a share of the width lies in. */
export function timeAt(timeline: Timeline, scale: Scale, share: number): string | null {
  if (share >= 1) return timeline.last_time;
  const position = scale.positionAt(share);
  return timeline.buckets.findLast((bucket) => bucket.first <= position)?.time ?? null;
}
