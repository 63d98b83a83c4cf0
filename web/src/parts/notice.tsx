// What stands where there is nothing to show: it is on its way, there is none, or it went wrong.
import type { ComponentChildren } from 'preact';
import type { ApiError } from '../api/client.ts';
import type { Reading } from '../api/use_read.ts';

export function Problem({ error }: { error: ApiError }) {
  if (error.isMissingRoute) {
    return (
      <p class="notice" role="note">
        This daemon does not offer this. A newer one does.
      </p>
    );
  }
  return (
    <div class="notice bad" role="alert">
      <strong>{error.message}</strong>
      {/* What is wrong in an expression is pointed at, in a line of its own. */}
      {error.next.includes('\n') ? (
        <pre tabIndex={0}>{error.next}</pre>
      ) : error.next ? (
        <span> {error.next}</span>
      ) : null}
    </div>
  );
}

export const Empty = ({ children }: { children: ComponentChildren }) => (
  <p class="notice">{children}</p>
);

/** Shows what was read, or why not. */
export function Read<T>({
  of,
  children,
}: {
  of: Reading<T>;
  children: (data: T) => ComponentChildren;
}) {
  if (of.data === null) {
    return of.error ? (
      <Problem error={of.error} />
    ) : (
      <p class="notice" aria-busy="true">
        Reading …
      </p>
    );
  }
  return (
    <div class="read" aria-busy={of.isLoading}>
      {of.error ? <Problem error={of.error} /> : null}
      {children(of.data)}
    </div>
  );
}
