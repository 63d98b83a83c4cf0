// What is looked for among memories: by what they say and are, when they were stored, and what they
// are like. All of it but a pasted vector is in the address.
import { useState } from 'preact/hooks';
import { rounded } from '../parts/text.ts';
import { parameter, setParameters } from '../time/route.ts';
import { vectorIn } from './vector.ts';

const fields = ['text', 'kind', 'tag', 'user'] as const;
const times = [
  ['since', 'Stored since'],
  ['until', 'Stored before'],
] as const;

export const memoryFilters = [...fields, 'since', 'until', 'like'] as const;

function TextFields() {
  return (
    <>
      {fields.map((name) => {
        const value = parameter(name);
        return (
          <label key={name} class={name === 'text' ? 'wide' : ''}>
            {name}
            <input
              key={value}
              type="search"
              name={name}
              defaultValue={value}
              data-search={name === 'text' ? '' : undefined}
            />
          </label>
        );
      })}
    </>
  );
}

function TimeFields() {
  return (
    <>
      {times.map(([name, label]) => {
        const value = parameter(name);
        return (
          <label key={name}>
            {label}
            <input key={value} type="datetime-local" step="1" name={name} defaultValue={value} />
          </label>
        );
      })}
    </>
  );
}

/** A vector that is pasted, or read from a file here: it goes nowhere but to the daemon. */
function VectorField({
  text,
  onText,
  error,
}: {
  text: string;
  onText: (text: string) => void;
  error: string;
}) {
  return (
    <details class="vector" open={text !== '' || undefined}>
      <summary>By a vector</summary>
      <label>
        Vector
        <textarea
          name="vector"
          rows={3}
          value={text}
          spellcheck={false}
          placeholder="[0.12, -0.4, …]"
          aria-invalid={error !== ''}
          aria-describedby="vector-error"
          onInput={(event) => onText(event.currentTarget.value)}
        />
      </label>
      <label>
        or a file with its numbers
        <input
          type="file"
          accept=".json,.txt,.csv,application/json,text/plain,text/csv"
          onChange={(event) => {
            void event.currentTarget.files?.[0]?.text().then(onText);
          }}
        />
      </label>
      <p
        id="vector-error"
        class={error ? 'notice bad' : 'quiet'}
        role={error ? 'alert' : undefined}
      >
        {error || 'As many numbers as the entries have: made by the same model as theirs.'}
      </p>
    </details>
  );
}

/** `onVector`: numbers to be like; none = without them. */
export function MemoryForm({ onVector }: { onVector: (numbers: number[]) => void }) {
  const [text, setText] = useState('');
  const [error, setError] = useState('');
  const like = parameter('like');
  const clear = () => {
    setText('');
    setError('');
    onVector([]);
    setParameters(Object.fromEntries(memoryFilters.map((name) => [name, ''])));
  };
  return (
    <form
      class="filters"
      role="search"
      aria-label="Memories"
      onSubmit={(event) => {
        event.preventDefault();
        const vector = vectorIn(text);
        setError(vector.error);
        if (vector.error) return;
        onVector(vector.numbers);
        const form = new FormData(event.currentTarget);
        const typed = [...fields, 'since', 'until'].map((name) => [
          name,
          String(form.get(name) ?? ''),
        ]);
        const isByVector = vector.numbers.length > 0;
        setParameters({ ...Object.fromEntries(typed), ...(isByVector ? { like: '' } : {}) });
      }}
    >
      <TextFields />
      <TimeFields />
      <VectorField text={text} onText={setText} error={error} />
      {like ? (
        <p class="like">
          Like memory {like}{' '}
          <button type="button" onClick={() => setParameters({ like: '' })}>
            Without that
          </button>
        </p>
      ) : null}
      <button type="submit" class="primary">
        Search
      </button>
      <button type="button" onClick={clear}>
        Clear
      </button>
    </form>
  );
}

/** "0.93", or a sign where nothing is compared. */
export const similarity = (value: number, isCompared: boolean): string =>
  isCompared ? rounded(Math.round(value * 1000) / 10) + ' %' : '–';
