// Changes: a button that says what would happen and asks. There are none in the past.
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, change, type Method } from '../api/client.ts';
import { offers } from '../api/offers.ts';
import { freshness, isPast } from '../time/moment.ts';
import { Problem } from './notice.tsx';

export interface ActionField {
  name: string;
  label: string;
  value?: string;
  isNumber?: boolean;
  choices?: string[];
}

export interface Action {
  /** "Cancel" */
  name: string;
  /** "Cancel task 7?" */
  question: string;
  /** What it comes to. */
  sentence: string;
  method: Method;
  path: string;
  fields?: ActionField[];
  /** Of the request; the fields that have a value join it. */
  body?: object;
  isGrave?: boolean;
  /** As the daemon describes it: "/v1/tasks/{id}/hasten". Left out of the page where it is not. */
  offered?: string;
}

const asked = signal<Action | null>(null);
/** What was done last, for everyone to hear. */
export const done = signal('');

function bodyOf(action: Action, values: Record<string, string>): object | undefined {
  const body: Record<string, unknown> = { ...action.body };
  for (const field of action.fields ?? []) {
    const value = values[field.name] ?? field.value ?? '';
    if (value !== '') body[field.name] = field.isNumber ? Number(value) : value;
  }
  return action.body || action.fields ? body : undefined;
}

export function ActionButton({ action }: { action: Action }) {
  if (action.offered && !offers(action.method, action.offered)) return null;
  return (
    <button
      type="button"
      class={action.isGrave ? 'grave' : ''}
      disabled={isPast.value}
      title={isPast.value ? 'The past cannot be changed: go live first' : action.sentence}
      onClick={() => {
        asked.value = action;
      }}
    >
      {action.name}
    </button>
  );
}

function FieldInput({ field, onValue }: { field: ActionField; onValue: (value: string) => void }) {
  const take = (event: Event) => {
    onValue((event.currentTarget as HTMLInputElement | HTMLSelectElement).value);
  };
  return (
    <label>
      {field.label}
      {field.choices ? (
        <select name={field.name} onChange={take}>
          {field.choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : (
        <input
          name={field.name}
          inputMode={field.isNumber ? 'numeric' : 'text'}
          defaultValue={field.value ?? ''}
          onInput={take}
        />
      )}
    </label>
  );
}

function startValues(action: Action): Record<string, string> {
  const values: Record<string, string> = {};
  for (const { name, value, choices } of action.fields ?? []) {
    const first = value ?? choices?.[0];
    if (first !== undefined) values[name] = first;
  }
  return values;
}

function ActionDialog({ action }: { action: Action }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [values, setValues] = useState(() => startValues(action));
  const [error, setError] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const confirm = async () => {
    setBusy(true);
    try {
      await change(action.method, action.path, bodyOf(action, values));
      done.value = `Done: ${action.question.replace(/\?$/, '')}.`;
      freshness.value += 1;
      dialog.current?.close();
    } catch (thrown) {
      setError(thrown instanceof ApiError ? thrown : new ApiError(0, 'page', String(thrown), ''));
      setBusy(false);
    }
  };
  return (
    <dialog
      ref={dialog}
      aria-labelledby="asked"
      onClose={() => {
        asked.value = null;
      }}
    >
      <h2 id="asked">{action.question}</h2>
      <p>{action.sentence}</p>
      {(action.fields ?? []).map((field) => (
        <FieldInput
          key={field.name}
          field={field}
          onValue={(value) => setValues({ ...values, [field.name]: value })}
        />
      ))}
      {error ? <Problem error={error} /> : null}
      <div class="row end">
        <button type="button" onClick={() => dialog.current?.close()}>
          Leave it
        </button>
        <button
          type="button"
          class={action.isGrave ? 'grave primary' : 'primary'}
          disabled={isBusy}
          onClick={() => void confirm()}
        >
          {action.name}
        </button>
      </div>
    </dialog>
  );
}

/** Once on the page: the dialog, and the line that says what was done. */
export function ActionHost() {
  return (
    <>
      {asked.value ? <ActionDialog key={asked.value.question} action={asked.value} /> : null}
      <p class="done" role="status">
        {done.value}
      </p>
    </>
  );
}
