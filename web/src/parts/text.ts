// Numbers, times and sizes as people read them.

const whole = new Intl.NumberFormat('en');
const brief = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

export const number = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : whole.format(value);
export const rounded = (value: number): string => brief.format(value);

const steps: [number, string][] = [
  [86_400e6, 'd'],
  [3_600e6, 'h'],
  [60e6, 'min'],
  [1e6, 's'],
  [1e3, 'ms'],
];

/** "1.5 s" of microseconds. */
export function duration(microseconds: number): string {
  for (const [size, unit] of steps) {
    if (microseconds >= size) return `${brief.format(microseconds / size)} ${unit}`;
  }
  return `${whole.format(microseconds)} µs`;
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return 'unknown';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let power = 0;
  while (power < units.length - 1 && value >= 1024 ** (power + 1)) power += 1;
  return `${brief.format(value / 1024 ** power)} ${units[power]}`;
}

const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const day = new Intl.DateTimeFormat('en-GB', { year: 'numeric', month: 'short', day: 'numeric' });

/** "14:02:11", with the day in front where it is not that of `beside`. */
export function time(text: string | null | undefined, beside: Date = new Date()): string {
  if (!text) return '–';
  const moment = new Date(text);
  const isSameDay = moment.toDateString() === beside.toDateString();
  return isSameDay ? clock.format(moment) : `${day.format(moment)} ${clock.format(moment)}`;
}

export const microsecondsBetween = (from: string, to: string): number =>
  (Date.parse(to) - Date.parse(from)) * 1000;

/** One line of something that was not made for people. */
export function oneLine(value: unknown, columns = 120): string {
  if (value === null || value === undefined) return '–';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > columns ? `${text.slice(0, columns - 1)}…` : text;
}

/** "TaskAttemptFailed" → "task attempt failed" */
export const spaced = (name: string): string =>
  name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase();

/** Of what people write, within a sentence: letters that turn the direction turn no others. */
export const isolated = (text: string): string => `\u2068${text}\u2069`;
