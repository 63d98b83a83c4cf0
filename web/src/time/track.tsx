// The line one drags on: how much went on when, with a sign above where tasks failed; where one
// stands, and the two marks. A slider for keyboards: arrows are one event, page keys a fiftieth,
// Home the first and End the present.
import { useRef } from 'preact/hooks';
import { goLive, goTo, head, isPast, markA, markB, standing } from './moment.ts';
import { pause } from './player.ts';
import { densities, type Scale, type Timeline } from './scale.ts';

const heightMax = 30;

function DensityBars({ timeline, scale }: { timeline: Timeline; scale: Scale }) {
  const bars = densities(timeline, scale);
  const most = Math.log1p(Math.max(1, ...bars.map((bar) => bar.rate)));
  return (
    <svg
      class="density"
      viewBox={`0 0 1000 ${heightMax}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {bars.map((bar, i) => {
        const width = Math.max(1.5, 1000 * (bar.to - bar.from) - 0.4);
        const height = Math.max(1.5, (heightMax * Math.log1p(bar.rate)) / most);
        const x = Math.min(998.5, 1000 * bar.from);
        return (
          <g key={i}>
            <rect x={x} y={heightMax - height} width={width} height={height} />
            {bar.failed > 0 ? (
              <rect class="failed" x={x} y={0} width={Math.max(3, width)} height={4} />
            ) : null}
          </g>
        );
      })}
    </svg>
  );
}

function Mark({ name, position, scale }: { name: string; position: number | null; scale: Scale }) {
  if (position === null) return null;
  const x = 1000 * scale.shareOf(position);
  return (
    <svg
      class="mark"
      viewBox={`0 0 1000 ${heightMax}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <line x1={x} x2={x} y1="0" y2={heightMax} class={`mark-${name}`} />
    </svg>
  );
}

export function Track({
  timeline,
  scale,
  told,
}: {
  timeline: Timeline;
  scale: Scale;
  told: string;
}) {
  const place = useRef<HTMLDivElement>(null);
  const step = Math.max(1, Math.round((scale.last - scale.first) / 50));
  const dragTo = (event: PointerEvent) => {
    const box = place.current?.getBoundingClientRect();
    if (!box) return;
    const share = (event.clientX - box.left) / box.width;
    pause();
    if (share >= 0.998) goLive();
    else goTo(scale.positionAt(share));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Record<string, () => void> = {
      ArrowLeft: () => goTo(standing.value - 1),
      ArrowDown: () => goTo(standing.value - 1),
      ArrowRight: () => goTo(standing.value + 1),
      ArrowUp: () => goTo(standing.value + 1),
      PageDown: () => goTo(standing.value - step),
      PageUp: () => goTo(standing.value + step),
      Home: () => goTo(scale.first),
      End: goLive,
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    pause();
    move();
  };
  const thumb = 1000 * (isPast.value ? scale.shareOf(standing.value) : 1);
  return (
    <div
      ref={place}
      class="track"
      role="slider"
      tabIndex={0}
      aria-label="Moment"
      aria-valuemin={scale.first}
      aria-valuemax={Math.max(head.value, scale.last)}
      aria-valuenow={standing.value}
      aria-valuetext={told}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        dragTo(event);
      }}
      onPointerMove={(event) => {
        if (event.buttons & 1) dragTo(event);
      }}
    >
      <DensityBars timeline={timeline} scale={scale} />
      <Mark name="a" position={markA.value} scale={scale} />
      <Mark name="b" position={markB.value} scale={scale} />
      <svg
        class="thumb"
        viewBox={`0 0 1000 ${heightMax}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        <line x1={thumb} x2={thumb} y1="0" y2={heightMax} />
      </svg>
    </div>
  );
}
