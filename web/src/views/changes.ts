// What differs between two states, as rows.

export interface Change {
  what: string;
  field: string;
  before: unknown;
  after: unknown;
}

const isPair = (value: unknown): value is [unknown, unknown] =>
  Array.isArray(value) && value.length === 2;

/** The leaves of the tree of changes: each is a pair of before and after. */
export function changesIn(tree: unknown, what: string, path: string[] = []): Change[] {
  if (isPair(tree)) return [{ what, field: path.join(' '), before: tree[0], after: tree[1] }];
  if (tree === null || typeof tree !== 'object') {
    return [{ what, field: path.join(' '), before: null, after: tree }];
  }
  return Object.entries(tree).flatMap(([name, inner]) => changesIn(inner, what, [...path, name]));
}
