// What this daemon offers, as its OpenAPI document says: the page of one program may be open beside
// a daemon of another version.
import { effect, signal } from '@preact/signals';
import { type Method, read } from './client.ts';
import { token } from './token.ts';

interface Document {
  paths: Record<string, Record<string, unknown>>;
}

const paths = signal<Document['paths']>({});

/** False as long as it is not known. */
export function offers(method: Method, path: string): boolean {
  return paths.value[path]?.[method.toLowerCase()] !== undefined;
}

/** Once there is a token. */
export function learnOffers(): void {
  effect(() => {
    if (!token.value) return;
    read<Document>('/v1/openapi.json').then(
      ({ data }) => {
        paths.value = data.paths;
      },
      () => undefined, // then those actions are left out
    );
  });
}
