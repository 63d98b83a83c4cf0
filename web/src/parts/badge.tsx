// A state, told by a sign and a word; the colour only repeats them.
import { spaced } from './text.ts';

type Tone = 'good' | 'bad' | 'busy' | 'calm' | 'warn';

const looks: Record<string, [Tone, string]> = {
  waiting: ['calm', '◌'],
  delayed: ['calm', '◷'],
  ready: ['busy', '○'],
  running: ['busy', '▶'],
  loading: ['busy', '▶'],
  unloading: ['busy', '▶'],
  absent: ['calm', '◌'],
  settling: ['busy', '▶'],
  resident: ['good', '✓'],
  releasing: ['busy', '▶'],
  cancelling: ['warn', '■'],
  succeeded: ['good', '✓'],
  failed: ['bad', '✕'],
  cancelled: ['calm', '⊘'],
  held: ['warn', '‖'],
  paused: ['warn', '‖'],
  closed: ['good', '✓'],
  open: ['bad', '✕'],
  half_open: ['warn', '◐'],
  forced_open: ['bad', '✕'],
  forced_closed: ['warn', '✓'],
  healthy: ['good', '✓'],
  good: ['good', '✓'],
  ok: ['good', '✓'],
  normal: ['good', '✓'],
  active: ['good', '✓'],
  'open to work': ['good', '✓'],
  present: ['good', '✓'],
  loaded: ['good', '✓'],
  warning: ['warn', '!'],
  degraded: ['warn', '!'],
  critical: ['bad', '✕'],
  unhealthy: ['bad', '✕'],
  broken: ['bad', '✕'],
  lost: ['bad', '✕'],
  gone: ['bad', '✕'],
  damaged: ['bad', '✕'],
  given_up: ['bad', '✕'],
};

export function Badge({ state }: { state: string }) {
  const [tone, sign] = looks[state] ?? ['calm', '·'];
  return (
    <span class={`badge ${tone}`}>
      <span aria-hidden="true">{sign}</span> {spaced(state)}
    </span>
  );
}
