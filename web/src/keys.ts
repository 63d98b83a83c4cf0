// Keys that work wherever nothing is typed: g and a letter goes to a view, and the time has its
// own.
import { signal } from '@preact/signals';
import { firstShown, goLive, goTo, mark, standing } from './time/moment.ts';
import { isPlaying, pause, play } from './time/player.ts';
import { go } from './time/route.ts';
import { views } from './views/all.ts';

export const isHelpOpen = signal(false);

export interface Key {
  key: string;
  does: string;
  run: () => void;
}

function focusSearch(): void {
  document.querySelector<HTMLInputElement>('[data-search]')?.focus();
}

export const keys: Key[] = [
  { key: '/', does: 'into the search of the view', run: focusSearch },
  { key: '[', does: 'one event back', run: () => goTo(standing.value - 1) },
  { key: ']', does: 'one event on', run: () => goTo(standing.value + 1) },
  {
    key: 'p',
    does: 'play, or pause',
    run: () => (isPlaying.value ? pause() : play(firstShown.value)),
  },
  { key: 'a', does: 'mark this moment as A', run: () => mark('a', standing.value) },
  { key: 'b', does: 'mark this moment as B', run: () => mark('b', standing.value) },
  { key: 'n', does: 'now: back to the present', run: goLive },
  {
    key: '?',
    does: 'this list',
    run: () => {
      isHelpOpen.value = true;
    },
  },
];

/** A second key has to come within this time. */
const chordTime = 1500;
let chordEnd = 0;

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input, select, textarea, dialog *'))
  );
}

export function listenToKeys(): void {
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
    if (document.querySelector('dialog[open]')) return;
    const isChord = Date.now() < chordEnd;
    chordEnd = 0;
    const found = isChord
      ? views.find((view) => view.key === event.key)
      : keys.find((each) => each.key === event.key);
    if (event.key === 'g' && !isChord) {
      chordEnd = Date.now() + chordTime;
    } else if (found) {
      event.preventDefault();
      if ('run' in found) found.run();
      else go(found.name);
    }
  });
}
