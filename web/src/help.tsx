// What the keys do.
import { useEffect, useRef } from 'preact/hooks';
import { isHelpOpen, keys } from './keys.ts';
import { views } from './views/all.ts';

function Dialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="keys"
      onClose={() => {
        isHelpOpen.value = false;
      }}
    >
      <h2 id="keys">Keys</h2>
      <dl class="keys">
        {keys.map(({ key, does }) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
        {views
          .filter((view) => view.key)
          .map(({ key, title }) => (
            <div key={key + title}>
              <dt>
                <kbd>g</kbd> <kbd>{key}</kbd>
              </dt>
              <dd>{title}</dd>
            </div>
          ))}
      </dl>
      <p class="quiet">On the slider: arrows move by one event, page keys by a fiftieth.</p>
      <div class="row end">
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}

export const Help = () => (isHelpOpen.value ? <Dialog /> : null);
