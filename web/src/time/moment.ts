// The moment the whole page shows: now, or a position of the past. It is in the address.
import { computed, signal } from '@preact/signals';
import { parameter, setParameters } from './route.ts';

const positionIn = (text: string): number | null => (/^[1-9]\d*$/.test(text) ? Number(text) : null);

/** null = now. */
export const at = computed(() => positionIn(parameter('at')));
export const isPast = computed(() => at.value !== null);
/** The newest position that was heard of; 0 = nothing was heard of the present yet. */
export const head = signal(0);
/** The oldest position that can be shown: of what was before there is no state any more. */
export const firstShown = signal(1);
/** Counts what makes what is shown of the present old, a few times a second at most. */
export const freshness = signal(0);

export const markA = computed(() => positionIn(parameter('a')));
export const markB = computed(() => positionIn(parameter('b')));

export function seePosition(position: number): void {
  if (position > head.value) head.value = position;
}

export function goTo(position: number): void {
  const last = head.value;
  if (last > 0 && position >= last) return goLive();
  setParameters({ at: String(Math.max(firstShown.value, Math.round(position))) });
}

export function goLive(): void {
  setParameters({ at: '' });
  freshness.value += 1;
}

/** Where it stands, as a position. */
export const standing = computed(() => at.value ?? head.value);

export function mark(which: 'a' | 'b', position: number | null): void {
  setParameters({ [which]: position === null ? '' : String(position) });
}
