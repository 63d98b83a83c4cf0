// Ways to other views, which keep the moment and the marks.
import type { ComponentChildren } from 'preact';
import { address } from '../time/route.ts';
import { goTo } from '../time/moment.ts';
import { number } from './text.ts';

export function Link({
  to,
  item = '',
  parameters = {},
  children,
}: {
  to: string;
  item?: string | number;
  parameters?: Record<string, string>;
  children: ComponentChildren;
}) {
  return <a href={address(to, String(item), parameters)}>{children}</a>;
}

/** A position: takes the whole page there. */
export function ToPosition({ position }: { position: number }) {
  return (
    <button
      type="button"
      class="plain"
      title="Show the world at this event"
      onClick={() => goTo(position)}
    >
      {number(position)}
    </button>
  );
}
