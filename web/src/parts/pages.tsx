// Page by page, as the server cuts a list: each answer says where the next one begins.
import { useEffect, useState } from 'preact/hooks';

export interface Pages {
  /** Where the page before ended; "" = it is the first one. */
  page: string;
  turn: (next: string) => void;
  back: (() => void) | null;
}

/** Begins anew when what is asked for changes. */
export function usePages(what: string): Pages {
  const [trail, setTrail] = useState<string[]>([]);
  useEffect(() => setTrail([]), [what]);
  return {
    page: trail.at(-1) ?? '',
    turn: (next) => setTrail([...trail, next]),
    back: trail.length > 0 ? () => setTrail(trail.slice(0, -1)) : null,
  };
}

export function Turner({ pages, next }: { pages: Pages; next: string | null | undefined }) {
  return (
    <div class="row end">
      <button type="button" disabled={!pages.back} onClick={() => pages.back?.()}>
        Page before
      </button>
      <button type="button" disabled={!next} onClick={() => next && pages.turn(next)}>
        Next page
      </button>
    </div>
  );
}
