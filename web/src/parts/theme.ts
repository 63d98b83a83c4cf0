// Dark or light: as the system says, unless somebody chose.
import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';
const place = 'almanac.theme';

const stored = localStorage.getItem(place);
export const choice = signal<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system');
const darkSystem = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(darkSystem.matches);
darkSystem.addEventListener('change', (event) => {
  systemIsDark.value = event.matches;
});

/** What is shown. */
export const theme = signal<'light' | 'dark'>('light');
effect(() => {
  const system = systemIsDark.value ? 'dark' : 'light';
  const shown = choice.value === 'system' ? system : choice.value;
  document.documentElement.dataset.theme = shown;
  theme.value = shown;
});

export function choose(next: Theme): void {
  localStorage.setItem(place, next);
  choice.value = next;
}
