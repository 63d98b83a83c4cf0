// Writes the address as the moment moves, but no more often than a browser allows: Chromium drops
// what comes more than 200 times in ten seconds, and with it the place where a drag ended.

const burst = 50;
const interval = 100;

export class AddressWriter {
  private left = burst;
  private counted = performance.now();
  private waiting: string | null = null;
  private timer = 0;

  constructor(private readonly writeNow: (path: string) => void) {}

  /** At once, or as soon as it may; of several that wait the last one counts. */
  write(path: string): void {
    const now = performance.now();
    const earned = Math.floor((now - this.counted) / interval);
    this.left = Math.min(burst, this.left + earned);
    this.counted += earned * interval;
    if (this.left > 0 && this.waiting === null) {
      this.left -= 1;
      this.writeNow(path);
      return;
    }
    this.waiting = path;
    this.timer ||= setTimeout(() => this.writeWaiting(), 2 * interval) as unknown as number;
  }

  /** What waits is of an address that one has left. */
  forget(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    this.waiting = null;
  }

  private writeWaiting(): void {
    const path = this.waiting;
    this.forget();
    if (path !== null) this.write(path);
  }
}
