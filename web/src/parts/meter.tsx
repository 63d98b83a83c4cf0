// How full something is, or how far: a bar, with the numbers beside it.
export function Meter({
  used,
  size,
  text,
  kind = 'memory',
}: {
  used: number;
  size: number;
  text: string;
  /** Memory that is full is bad; progress that is whole is not. */
  kind?: 'memory' | 'progress';
}) {
  const share = size > 0 ? Math.min(1, used / size) : 0;
  const filled = share >= 0.9 ? 'bad' : share >= 0.8 ? 'warn' : 'good';
  const tone = kind === 'progress' ? 'good' : filled;
  return (
    <span class="meter">
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect width="100" height="8" class="back" />
        <rect width={100 * share} height="8" class={tone} />
      </svg>
      <span>{text}</span>
    </span>
  );
}
