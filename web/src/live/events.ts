// Events as they come: Server-Sent Events read with fetch, because an EventSource sends no header.
// What comes is counted at once and told a few times a second, however much it is.
import { signal } from '@preact/signals';
import { ApiError, send } from '../api/client.ts';
import { token } from '../api/token.ts';
import type { LogEvent } from '../api/shapes.ts';
import { freshness, seePosition } from '../time/moment.ts';
import { messagesIn } from './messages.ts';
import { Rates } from './rates.ts';

export type Connection = 'connecting' | 'live' | 'lost';

export const connection = signal<Connection>('connecting');
/** The newest first. */
export const recent = signal<LogEvent[]>([]);
export const recentMax = 200;
/** How many have come since the page was loaded. */
export const seen = signal(0);
export const rates = new Rates();

const tellInterval = 300;
const retryFirst = 500;
const retryMax = 10_000;

let waiting: LogEvent[] = [];
let timer = 0;
let last = 0;

function tell(): void {
  timer = 0;
  seen.value += waiting.length;
  recent.value = [...waiting.slice(-recentMax).reverse(), ...recent.value].slice(0, recentMax);
  waiting = [];
  seePosition(last);
  freshness.value += 1;
}

function take(event: LogEvent): void {
  last = event.position;
  rates.count(event.type, Date.now());
  waiting.push(event);
  if (waiting.length > 2 * recentMax) {
    seen.value += waiting.length - recentMax;
    waiting = waiting.slice(-recentMax);
  }
  if (!timer) timer = window.setTimeout(tell, tellInterval);
}

async function follow(abort: AbortController): Promise<void> {
  const headers: Record<string, string> = { Accept: 'text/event-stream' };
  if (last) headers['Last-Event-ID'] = String(last);
  const response = await send('/v1/events', { headers, signal: abort.signal });
  if (!response.body) throw new ApiError(0, 'unreachable', 'no events come', 'try again');
  connection.value = 'live';
  freshness.value += 1;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const { messages, rest } = messagesIn(text + value);
    text = rest;
    for (const message of messages) {
      const event = JSON.parse(message) as Partial<LogEvent>;
      if (typeof event.position !== 'number') {
        last = 0; // it was told that what comes next is not there
        void reader.cancel();
        throw new ApiError(0, 'stream', 'the stream of events ended', 'it is asked for again');
      }
      take(event as LogEvent);
    }
  }
}

async function followOnAndOn(abort: AbortController): Promise<void> {
  let pause = retryFirst;
  while (!abort.signal.aborted) {
    const begun = Date.now();
    try {
      await follow(abort);
    } catch (error) {
      if (abort.signal.aborted) return;
      // What it asked to go on behind is not there: another log, or a trimmed one.
      if (error instanceof ApiError && error.status === 404) last = 0;
    }
    connection.value = 'lost';
    if (Date.now() - begun > retryMax) pause = retryFirst;
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(retryMax, 2 * pause);
  }
}

/** While there is a token. */
export function keepFollowing(): void {
  let abort: AbortController | null = null;
  token.subscribe((text) => {
    abort?.abort();
    abort = null;
    if (!text) return;
    abort = new AbortController();
    connection.value = 'connecting';
    void followOnAndOn(abort);
  });
}
