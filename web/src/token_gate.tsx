// Asks for a token, once for each tab.
import { useState } from 'preact/hooks';
import { ApiError, tryToken } from './api/client.ts';
import { refusal, rememberToken } from './api/token.ts';

async function show(text: string): Promise<void> {
  try {
    await tryToken(text);
    rememberToken(text);
  } catch (error) {
    refusal.value = error instanceof ApiError ? `${error.message}: ${error.next}` : String(error);
  }
}

export function TokenGate() {
  const [text, setText] = useState('');
  return (
    <main class="gate">
      <h1>Almanac</h1>
      <p>
        Show a token of this daemon: who runs it has one (docs/guides/dashboard.md says where). It
        stays in this tab and goes nowhere else.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim()) void show(text.trim());
        }}
      >
        <label>
          Token
          <input
            type="password"
            name="token"
            autocomplete="off"
            autofocus
            required
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          Open
        </button>
      </form>
      {refusal.value ? (
        <p class="notice bad" role="alert">
          {refusal.value}
        </p>
      ) : null}
    </main>
  );
}
