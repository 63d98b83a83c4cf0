// Lines over time, by uPlot. What they show stands beside them as a table for who cannot see them.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { theme } from './theme.ts';
import { rounded, time } from './text.ts';

export interface ChartLine {
  name: string;
  values: (number | null)[];
  /** How it is drawn, beside its colour. */
  dash?: number[];
  isArea?: boolean;
}

const clockText = (seconds: number) => time(new Date(seconds * 1000).toISOString());

const inks = ['--ink-1', '--ink-2', '--ink-3', '--ink-4'];
const dashes: number[][] = [[], [6, 3], [2, 2], [8, 3, 2, 3]];

function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return { inks: inks.map(of), grid: of('--line'), text: of('--soft') };
}

function optionsOf(
  width: number,
  height: number,
  lines: ChartLine[],
  format: (value: number) => string,
): uPlot.Options {
  const { inks: strokes, grid, text } = colours();
  const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid } };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { points: { show: false } },
    scales: { x: { time: true }, y: { range: (_, __, top) => [0, Math.max(1, top * 1.1)] } },
    axes: [
      { ...axis, values: (_, values) => values.map(clockText) },
      { ...axis, size: 64, values: (_, values) => values.map((each) => format(each)) },
    ],
    series: [
      {},
      ...lines.map((line, i) => {
        const stroke = strokes[i % strokes.length] ?? '';
        return {
          label: line.name,
          stroke,
          width: 1.6,
          dash: line.dash ?? dashes[i % dashes.length] ?? [],
          points: { show: false },
          ...(line.isArea ? { fill: `${stroke}33` } : {}),
        };
      }),
    ],
  };
}

function Legend({ lines, format }: { lines: ChartLine[]; format: (value: number) => string }) {
  return (
    <ul class="legend">
      {lines.map((line, i) => (
        <li key={line.name}>
          <svg width="26" height="8" aria-hidden="true">
            <line
              x1="0"
              x2="26"
              y1="4"
              y2="4"
              class={`ink-${(i % inks.length) + 1}`}
              stroke-dasharray={(line.dash ?? dashes[i % dashes.length] ?? []).join(' ')}
            />
          </svg>
          {line.name}: {format(line.values.at(-1) ?? 0)}
        </li>
      ))}
    </ul>
  );
}

export function Chart({
  title,
  seconds,
  lines,
  format = rounded,
  height = 190,
}: {
  title: string;
  seconds: number[];
  lines: ChartLine[];
  format?: (value: number) => string;
  height?: number;
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = [seconds, ...lines.map((line) => line.values)] as uPlot.AlignedData;
  const names = lines.map((line) => line.name).join();
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const options = optionsOf(element.clientWidth || 300, height, lines, format);
    const made = new uPlot(options, data, element);
    plot.current = made;
    const watch = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height });
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [names, theme.value, height]);
  useEffect(() => plot.current?.setData(data));
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div ref={place} class="plot" role="img" aria-label={`${title}, as lines over time`} />
      <Legend lines={lines} format={format} />
    </figure>
  );
}
