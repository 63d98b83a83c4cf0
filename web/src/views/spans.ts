// The time of a task in pieces: when it waited, and when it ran.
import type { LogEvent } from '../api/shapes.ts';

export interface Span {
  from: number;
  to: number;
  kind: 'waits' | 'runs';
}

const ends = new Set([
  'TaskSucceeded',
  'TaskFailed',
  'TaskAttemptFailed',
  'TaskCancelled',
  'TaskHandedBack',
  'TaskSnoozed',
  'TaskHeld',
]);

/** Between its events: it runs from a start to what ended that attempt. */
export function spansOf(events: LogEvent[]): Span[] {
  const spans: Span[] = [];
  let kind: Span['kind'] = 'waits';
  events.forEach((event, i) => {
    const next = events[i + 1];
    if (event.type === 'TaskStarted') kind = 'runs';
    if (ends.has(event.type)) kind = 'waits';
    if (next) spans.push({ from: Date.parse(event.time), to: Date.parse(next.time), kind });
  });
  return spans;
}
