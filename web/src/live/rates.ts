// Events by the second, of the last two minutes.

export const secondsKept = 120;

export interface RateLine {
  name: string;
  values: number[];
}

const lines: { name: string; has: (type: string) => boolean }[] = [
  { name: 'all events', has: () => true },
  { name: 'tasks submitted', has: (type) => type === 'TaskEnqueued' },
  { name: 'tasks succeeded', has: (type) => type === 'TaskSucceeded' },
  { name: 'attempts failed', has: (type) => type === 'TaskFailed' || type === 'TaskAttemptFailed' },
];

export class Rates {
  private second = 0;
  private readonly counts = lines.map(() => new Array<number>(secondsKept).fill(0));

  count(type: string, now: number): void {
    this.moveTo(Math.floor(now / 1000));
    lines.forEach((line, i) => {
      const values = this.counts[i];
      if (values && line.has(type)) values[this.second % secondsKept]! += 1;
    });
  }

  /** Up to the last whole second, the oldest first. */
  at(now: number): { seconds: number[]; lines: RateLine[] } {
    const end = Math.floor(now / 1000);
    this.moveTo(end);
    const seconds = Array.from({ length: secondsKept - 1 }, (_, i) => end - secondsKept + 1 + i);
    const named = lines.map(({ name }, i) => ({
      name,
      values: seconds.map((second) => this.counts[i]?.[second % secondsKept] ?? 0),
    }));
    return { seconds, lines: named };
  }

  private moveTo(second: number): void {
    if (second <= this.second) return;
    const first = Math.max(this.second + 1, second - secondsKept + 1);
    for (let each = first; each <= second; each += 1) {
      for (const values of this.counts) values[each % secondsKept] = 0;
    }
    this.second = second;
  }
}
