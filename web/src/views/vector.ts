// An embedding as people have it: a JSON list, or numbers with commas, blanks or lines between.

export interface Vector {
  numbers: number[];
  /** Why it is none; empty = it is one. */
  error: string;
}

export const dimensionMax = 16_384;

const none = (error: string): Vector => ({ numbers: [], error });

/** Numbers that were pasted or lie in a file; nothing at all is no error. */
export function vectorIn(text: string): Vector {
  const inner = text.trim().replace(/^\[/, '').replace(/\]$/, '').trim();
  if (inner === '') return none(text.trim() === '' ? '' : 'It has no numbers.');
  const words = inner.split(/[\s,;]+/).filter((word) => word !== '');
  if (words.length > dimensionMax) return none(`It has more than ${dimensionMax} numbers.`);
  const numbers = words.map(Number);
  const wrong = numbers.findIndex((each) => !Number.isFinite(each));
  if (wrong < 0) return { numbers, error: '' };
  return none(`'${(words[wrong] ?? '').slice(0, 20)}', in place ${wrong + 1}, is no number.`);
}
