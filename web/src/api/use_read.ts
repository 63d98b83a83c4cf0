// What a view shows of the daemon: read when it is first shown, again when the moment or what is
// asked for changes, and while the present is shown again when something has happened. What was
// read before stays until the next is there.
import { useEffect, useState } from 'preact/hooks';
import { at, freshness, seePosition } from '../time/moment.ts';
import { ApiError, type Parameters, pathWith, read } from './client.ts';
import { token } from './token.ts';

export interface Reading<T> {
  data: T | null;
  error: ApiError | null;
  /** The first time, or of another thing than what is shown. */
  isLoading: boolean;
  position: number;
}

export interface ReadOptions {
  /** Whether it takes `at`; else it shows the present, whatever the moment. */
  hasPast?: boolean;
  isLive?: boolean;
  /** Milliseconds between two readings, where less often is good enough. */
  every?: number;
}

/** No two readings of one thing lie closer together, nor take more than a fifth of the time. */
const pauseMin = 300;
const pauseFactor = 4;

class Reader<T> {
  private abort: AbortController | null = null;
  private isWanted = false;
  private isOver = false;
  private timer = 0;

  constructor(
    private readonly path: string,
    private readonly every: number,
    private readonly tell: (change: Partial<Reading<T>>) => void,
  ) {}

  /** Now, or as soon as the one that is on its way and the pause behind it are over. */
  want(): void {
    if (this.isOver) return;
    if (this.abort || this.timer) this.isWanted = true;
    else void this.run();
  }

  end(): void {
    this.isOver = true;
    this.abort?.abort();
    clearTimeout(this.timer);
  }

  private async run(): Promise<void> {
    this.isWanted = false;
    this.abort = new AbortController();
    const begun = performance.now();
    try {
      const { data, position } = await read<T>(this.path, { signal: this.abort.signal });
      if (this.isOver) return;
      seePosition(position);
      this.tell({ data, error: null, isLoading: false, position });
    } catch (error) {
      if (this.isOver) return;
      const known =
        error instanceof ApiError
          ? error
          : new ApiError(0, 'page', String(error), 'reload the page');
      this.tell({ error: known, isLoading: false, ...(known.status ? { data: null } : {}) });
    }
    this.abort = null;
    const pause = Math.max(this.every, (performance.now() - begun) * pauseFactor);
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      if (this.isWanted) this.want();
    }, pause);
  }
}

/** `path` null = nothing is asked for. */
export function useRead<T>(
  path: string | null,
  parameters: Parameters = {},
  options: ReadOptions = {},
): Reading<T> {
  const { hasPast = true, isLive = true, every = pauseMin } = options;
  const moment = hasPast ? at.value : null;
  const full = path === null ? null : pathWith(path, { ...parameters, at: moment });
  const key = token.value ? full : null;
  const [reading, setReading] = useState<Reading<T>>(() => ({
    data: null,
    error: null,
    isLoading: path !== null,
    position: 0,
  }));

  useEffect(() => {
    if (key === null) return undefined;
    setReading((before) => ({ ...before, isLoading: true }));
    const reader = new Reader<T>(key, every, (change) => {
      setReading((before) => ({ ...before, ...change }));
    });
    const isPresent = isLive && moment === null;
    // Who subscribes is called back at once.
    const stop = isPresent ? freshness.subscribe(() => reader.want()) : () => undefined;
    if (!isPresent) reader.want();
    return () => {
      stop();
      reader.end();
    };
  }, [key, isLive, moment]);
  return reading;
}
