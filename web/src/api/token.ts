// The token of this tab: asked for once, kept in its session storage, sent in a header and nowhere
// else.
import { signal } from '@preact/signals';

const place = 'almanac.token';

export const token = signal(sessionStorage.getItem(place) ?? '');
/** Why the last one was not enough; empty = nothing is known against it. */
export const refusal = signal('');

export function rememberToken(text: string): void {
  sessionStorage.setItem(place, text);
  refusal.value = '';
  token.value = text;
}

export function forgetToken(why: string): void {
  sessionStorage.removeItem(place);
  refusal.value = why;
  token.value = '';
}
