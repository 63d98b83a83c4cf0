// What the log's view reads: a page of it. The daemon looks at a part of a long log for one, and
// where it has found nothing there, this asks for the part in front of it, and so on.
import { useEffect, useState } from 'preact/hooks';
import type { LogEvent, Page } from '../api/shapes.ts';
import { type Reading, useRead } from '../api/use_read.ts';

export interface LogAsked {
  type: string;
  stream: string;
  /** The last position that is shown; null = the end. */
  to: number | null;
  /** Where the page before ended; "" = it is the first one. */
  page: string;
  limit: number;
  isLive: boolean;
}

export interface LogReading {
  reading: Reading<Page<LogEvent>>;
  /** How far back was looked, when that is not the beginning of the log. */
  reach: number | null;
}

const isBlank = ({ data }: Reading<Page<LogEvent>>): boolean =>
  data !== null && data.items.length === 0 && data.next !== null;

export function useLog({ isLive, ...asked }: LogAsked): LogReading {
  const [from, setFrom] = useState('');
  const first = useRead<Page<LogEvent>>(
    '/v1/log',
    { ...asked, reverse: true },
    { hasPast: false, isLive },
  );
  const goesOn = from !== '' && isBlank(first);
  const further = useRead<Page<LogEvent>>(
    goesOn ? '/v1/log' : null,
    { ...asked, reverse: true, page: from },
    { hasPast: false, isLive: false },
  );
  const reading = goesOn && further.data ? further : first;
  const { type, stream, to, page } = asked;
  useEffect(() => setFrom(''), [type, stream, to, page]);
  const next = !reading.isLoading && isBlank(reading) ? reading.data?.next : null;
  useEffect(() => {
    if (next) setFrom(next);
  }, [next]);
  return { reading, reach: reading.data?.next ? Number(reading.data.next) : null };
}
