// The time of a task as a line: waiting, and each attempt.
import type { LogEvent } from '../api/shapes.ts';
import { duration } from '../parts/text.ts';
import { type Span, spansOf } from './spans.ts';

export function Timeline({ events }: { events: LogEvent[] }) {
  const spans = spansOf(events);
  const from = spans[0]?.from ?? 0;
  const width = (spans.at(-1)?.to ?? 0) - from;
  if (width <= 0) return null;
  const total = (kind: Span['kind']) =>
    duration(
      1000 *
        spans
          .filter((span) => span.kind === kind)
          .reduce((sum, span) => sum + span.to - span.from, 0),
    );
  return (
    <figure class="task-timeline">
      <svg viewBox="0 0 1000 22" preserveAspectRatio="none" aria-hidden="true">
        {spans.map((span, i) => (
          <rect
            key={i}
            class={span.kind}
            x={(1000 * (span.from - from)) / width}
            y={span.kind === 'runs' ? 0 : 8}
            height={span.kind === 'runs' ? 22 : 6}
            width={Math.max(1.5, (1000 * (span.to - span.from)) / width)}
          />
        ))}
      </svg>
      <figcaption>
        It waited {total('waits')} (thin) and ran {total('runs')} (thick).
      </figcaption>
    </figure>
  );
}
