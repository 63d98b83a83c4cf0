// Which view is shown and of what: the part of the address behind #, so that a link says it all.
//   #/tasks?state=failed&at=120     #/task/7     #/difference?a=10&b=90
import { computed, signal } from '@preact/signals';
import { AddressWriter } from './address_writer.ts';

export interface Route {
  view: string;
  item: string;
  parameters: URLSearchParams;
}

function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [view = '', ...item] = path.split('/');
  return {
    view: view || 'overview',
    item: decodeURIComponent(item.join('/')),
    parameters: new URLSearchParams(query),
  };
}

function safely(hash: string): Route {
  try {
    return parse(hash);
  } catch {
    return parse('');
  }
}

export const route = signal(safely(location.hash));
export const view = computed(() => route.value.view);
const written = new AddressWriter((path) => history.replaceState(null, '', path));
addEventListener('hashchange', () => {
  written.forget();
  route.value = safely(location.hash);
});

/** What stays when one goes from view to view: the moment, and the marks. */
const kept = ['at', 'a', 'b'];

export function address(to: string, item = '', parameters: Record<string, string> = {}): string {
  const query = new URLSearchParams();
  for (const name of kept) {
    const value = route.value.parameters.get(name);
    if (value) query.set(name, value);
  }
  for (const [name, value] of Object.entries(parameters)) {
    if (value) query.set(name, value);
  }
  const text = query.toString();
  return `#/${to}${item ? `/${encodeURIComponent(item)}` : ''}${text ? `?${text}` : ''}`;
}

export function go(to: string, item = '', parameters: Record<string, string> = {}): void {
  location.hash = address(to, item, parameters);
}

/** Changes parameters where one is; without a step in the history, as for a slider that moves: then
 * the address follows a little later. */
export function setParameters(changes: Record<string, string>): void {
  const parameters = new URLSearchParams(route.value.parameters);
  for (const [name, value] of Object.entries(changes)) {
    if (value) parameters.set(name, value);
    else parameters.delete(name);
  }
  const { view: to, item } = route.value;
  const text = parameters.toString();
  const path = `#/${to}${item ? `/${encodeURIComponent(item)}` : ''}${text ? `?${text}` : ''}`;
  route.value = { view: to, item, parameters };
  written.write(path);
}

export const parameter = (name: string): string => route.value.parameters.get(name) ?? '';
