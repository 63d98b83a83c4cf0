// Plays the log forward: so many events a second, until the present.
import { effect, signal } from '@preact/signals';
import { at, goLive, goTo, head } from './moment.ts';

export const speeds = [1, 5, 25, 100, 500, 2500];
export const speed = signal(5);
export const isPlaying = signal(false);

/** No more than five moments a second are asked for; faster play skips more of them. */
const stepMin = 200;

effect(() => {
  if (!isPlaying.value) return undefined;
  const step = Math.max(stepMin, 1000 / speed.value);
  const timer = setInterval(() => {
    const from = at.peek();
    if (from === null) {
      isPlaying.value = false;
      return;
    }
    if (head.peek() === 0) return; // where it ends is not known yet
    const next = from + Math.max(1, Math.round((speed.peek() * step) / 1000));
    if (next >= head.peek()) {
      isPlaying.value = false;
      goLive();
    } else {
      goTo(next);
    }
  }, step);
  return () => clearInterval(timer);
});

/** From where it stands; from the first event when that is the present. */
export function play(first: number): void {
  if (at.value === null) goTo(first);
  isPlaying.value = true;
}

export function pause(): void {
  isPlaying.value = false;
}
