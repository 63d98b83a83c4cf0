// What is on the page whatever the view: its head, the menu, the time.
import { useEffect, useRef } from 'preact/hooks';
import { token, forgetToken } from './api/token.ts';
import { Help } from './help.tsx';
import { isHelpOpen } from './keys.ts';
import { connection } from './live/events.ts';
import { ActionHost } from './parts/action.tsx';
import { choice, choose, type Theme } from './parts/theme.ts';
import { address, view } from './time/route.ts';
import { TimeBar } from './time/time_bar.tsx';
import { TokenGate } from './token_gate.tsx';
import { views } from './views/all.ts';

const connections = {
  connecting: ['◌', 'connecting'],
  live: ['●', 'live'],
  lost: ['✕', 'no connection, trying again'],
} as const;

function Head() {
  const [sign, word] = connections[connection.value];
  return (
    <header class="head">
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('content')?.focus();
        }}
      >
        To the content
      </a>
      <span class="brand">Almanac</span>
      <span class={`connection ${connection.value}`}>
        <span aria-hidden="true">{sign}</span> {word}
      </span>
      <span class="space" />
      <button
        type="button"
        onClick={() => {
          isHelpOpen.value = true;
        }}
      >
        Keys
      </button>
      <label class="inline">
        <span class="quiet">Theme</span>
        <select
          value={choice.value}
          onChange={(event) => choose(event.currentTarget.value as Theme)}
        >
          <option value="system">system</option>
          <option value="light">light</option>
          <option value="dark">dark</option>
        </select>
      </label>
      <button type="button" onClick={() => forgetToken('')}>
        Forget token
      </button>
    </header>
  );
}

function Menu() {
  return (
    <nav class="menu" aria-label="Views">
      <ul>
        {views
          .filter((each) => !each.isHidden)
          .map(({ name, title }) => (
            <li key={name}>
              <a href={address(name)} aria-current={view.value === name ? 'page' : undefined}>
                {title}
              </a>
            </li>
          ))}
      </ul>
    </nav>
  );
}

function Content() {
  const shown = views.find((each) => each.name === view.value);
  const heading = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${shown?.title ?? 'Nothing'} – Almanac`;
    // Who goes on by keyboard goes on in the new view.
    if (!isFirst.current) heading.current?.focus({ preventScroll: true });
    isFirst.current = false;
  }, [shown]);
  return (
    <main id="content" ref={heading} tabIndex={-1}>
      {shown ? (
        <shown.show />
      ) : (
        <p class="notice">There is no such view. Choose one of the menu.</p>
      )}
    </main>
  );
}

export function App() {
  if (!token.value) return <TokenGate />;
  return (
    <>
      <Head />
      <TimeBar />
      <div class="columns">
        <Menu />
        <Content />
      </div>
      <ActionHost />
      <Help />
    </>
  );
}
