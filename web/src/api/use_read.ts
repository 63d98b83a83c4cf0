// What a view shows of the daemon: read when it is first shown, again when the moment or what is
// asked for changes, and while the present is shown again when something has happened. What was
// read before stays until the next is there. However fast the moment moves, one request is on its
// way at a time: the next one asks for where the moment is by then.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
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
  /** Sent with a POST: what is asked for is too long for an address. */
  body?: object;
  /** Milliseconds between two readings, where less often is good enough. */
  every?: number;
}

/** No two readings of one thing lie closer together, nor take more than a fifth of the time. */
const pauseMin = 300;
const pauseFactor = 4;
/** Nor of two moments of it. */
const pauseOfMoment = 60;
/** Parameters that say of when it is. */
const momentNames = ['at', 'from', 'to'];

interface Question {
  path: string;
  body: string | null;
  /** What it is about, whatever the moment. */
  subject: string;
  isOfNow: boolean;
  every: number;
}

class Reader<T> {
  private asked: Question | null = null;
  private abort: AbortController | null = null;
  private isWanted = false;
  private timer = 0;

  constructor(private readonly tell: (change: Partial<Reading<T>>) => void) {}

  /** From now on this is asked. What was on its way for another thing counts no more. */
  aim(next: Question): void {
    const isOther = next.subject !== this.asked?.subject;
    if (isOther) this.end();
    this.asked = next;
    if (this.timer) this.wait(pauseOfMoment);
  }

  /** Now, or as soon as the one that is on its way and the pause behind it are over. */
  want(): void {
    if (!this.asked) return;
    if (this.abort || this.timer) this.isWanted = true;
    else void this.run(this.asked);
  }

  end(): void {
    this.abort?.abort();
    this.abort = null;
    this.asked = null;
    this.isWanted = false;
    clearTimeout(this.timer);
    this.timer = 0;
  }

  private wait(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      if (this.isWanted) this.want();
    }, milliseconds);
  }

  private async run(question: Question): Promise<void> {
    this.isWanted = false;
    const abort = new AbortController();
    this.abort = abort;
    const begun = performance.now();
    const change = await answerOf<T>(question, abort.signal);
    if (abort.signal.aborted) return;
    this.abort = null;
    const isOld = question !== this.asked;
    if (!isOld) this.tell({ ...change, isLoading: false });
    else if (!change.error) this.tell(change); // on the way to the moment that is asked for now
    const least = isOld ? pauseOfMoment : question.every;
    const share = isOld ? 0 : (performance.now() - begun) * pauseFactor;
    this.wait(Math.max(least, share));
  }
}

/** Never throws: what went wrong is part of it. */
async function answerOf<T>(
  { path, body, isOfNow }: Question,
  signal: AbortSignal,
): Promise<Partial<Reading<T>>> {
  const init: RequestInit =
    body === null
      ? { signal }
      : { signal, method: 'POST', headers: { 'Content-Type': 'application/json' }, body };
  try {
    const { data, position } = await read<T>(path, init);
    if (isOfNow) seePosition(position);
    return { data, error: null, position };
  } catch (thrown) {
    const error =
      thrown instanceof ApiError
        ? thrown
        : new ApiError(0, 'page', String(thrown), 'reload the page');
    return { error, ...(error.status ? { data: null } : {}) };
  }
}

function subjectOf(path: string, parameters: Parameters, body: string | null): string {
  const rest = Object.entries(parameters).filter(([name]) => !momentNames.includes(name));
  return `${pathWith(path, Object.fromEntries(rest))}\n${body ?? ''}`;
}

/** `path` null = nothing is asked for. */
export function useRead<T>(
  path: string | null,
  parameters: Parameters = {},
  options: ReadOptions = {},
): Reading<T> {
  const { hasPast = true, isLive = true, every = pauseMin } = options;
  const body = options.body ? JSON.stringify(options.body) : null;
  const moment = hasPast ? at.value : null;
  const full = path === null ? null : pathWith(path, { ...parameters, at: moment });
  const key = token.value ? full : null;
  const [reading, setReading] = useState<Reading<T>>(() => ({
    data: null,
    error: null,
    isLoading: path !== null,
    position: 0,
  }));
  const asked = useRef(key);
  const reader = useMemo(
    () => new Reader<T>((change) => setReading((before) => ({ ...before, ...change }))),
    [],
  );

  useEffect(() => () => reader.end(), []);
  useEffect(() => {
    asked.current = key;
    if (path === null || key === null) {
      reader.end();
      return undefined;
    }
    setReading((before) => ({ ...before, isLoading: true }));
    const subject = subjectOf(path, parameters, body);
    reader.aim({ path: key, body, subject, isOfNow: moment === null, every });
    const isPresent = isLive && moment === null;
    // Who subscribes is called back at once.
    if (isPresent) return freshness.subscribe(() => reader.want());
    reader.want();
    return undefined;
  }, [key, body, isLive, moment]);
  // What is asked for from this rendering on is on its way, though nothing has been sent yet.
  return asked.current === key ? reading : { ...reading, isLoading: key !== null };
}
