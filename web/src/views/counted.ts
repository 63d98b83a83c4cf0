// How far back waits and runs are counted, so that the page costs the same however long the log is.

const eventsCounted = 50_000;
const step = 10_000;

/** Behind which event; 0 = all of the log. Moves by steps, or each event had it read anew. */
export const countedSince = (position: number): number =>
  Math.max(0, Math.floor((position - eventsCounted) / step) * step);
