// One model: where it is, what it costs, how it was used; loaded, pinned and removed by hand.
import { segment } from '../api/client.ts';
import type { Model } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { type Action, ActionButton } from '../parts/action.tsx';
import { Badge } from '../parts/badge.tsx';
import { type Fact, Facts } from '../parts/facts.tsx';
import { Link, ToPosition } from '../parts/link.tsx';
import { Read } from '../parts/notice.tsx';
import { Section } from '../parts/section.tsx';
import { bytes, duration, number, time } from '../parts/text.ts';
import { route } from '../time/route.ts';

const waits = { name: 'timeout', label: 'Wait no longer than', value: '2m' };

export function actionsOf(model: Model): Action[] {
  const path = `/v1/models/${segment(model.model)}`;
  const named = `model ${model.model}`;
  const load: Action = {
    name: 'Load',
    question: `Load ${named}?`,
    sentence: 'It is loaded now; others that are not in use and not pinned may give way to it.',
    method: 'POST',
    path: `${path}/load`,
    fields: [waits],
  };
  const unload: Action = {
    name: 'Unload',
    question: `Unload ${named}?`,
    sentence: 'It is unloaded as soon as nobody uses it. What needs it next loads it again.',
    method: 'POST',
    path: `${path}/unload`,
    fields: [waits],
  };
  return [
    ...(model.state === 'resident' ? [] : [load]),
    ...(model.state === 'absent' ? [] : [unload]),
    {
      name: model.pinned ? 'Unpin' : 'Pin',
      question: `${model.pinned ? 'Unpin' : 'Pin'} ${named}?`,
      sentence: model.pinned
        ? 'It gives way to others again while nobody uses it.'
        : 'Once it is loaded it stays, however much others need its room.',
      method: 'POST',
      path: `${path}/change`,
      body: { pinned: !model.pinned },
    },
    {
      name: 'Priority',
      question: `Set the priority of ${named}?`,
      sentence: 'Of models that nobody uses those of a lower priority give way first.',
      method: 'POST',
      path: `${path}/change`,
      fields: [
        { name: 'priority', label: 'Priority', value: String(model.priority), isNumber: true },
      ],
    },
    {
      name: 'Remove',
      question: `Remove ${named}?`,
      sentence: 'It is not known any more. One that is loaded, or that tasks wait for, is kept.',
      method: 'DELETE',
      path,
      isGrave: true,
    },
  ];
}

const toModel = (name: string | null | undefined) =>
  name ? (
    <Link to="model" item={name}>
      {name}
    </Link>
  ) : (
    ''
  );

function placeOf(model: Model): Fact[] {
  return [
    ['State', <Badge state={model.state} />],
    ['GPU', model.gpu],
    ['Bound to', model.only_gpu],
    ['Size as registered', bytes(model.bytes)],
    ['Size as measured', model.learned ? bytes(model.learned) : 'not loaded yet'],
    ['Reserved', bytes(model.reserved)],
    ['Pinned', model.pinned ? 'yes: it stays' : 'no'],
    ['Priority', String(model.priority)],
    ['Gives way after', model.residency_us ? duration(model.residency_us) : ''],
    ['In its place', toModel(model.alternative)],
  ];
}

function useOf(model: Model): Fact[] {
  return [
    ['In use by', number(model.uses)],
    ['Last use', time(model.used_at)],
    ['Loads', number(model.loads)],
    ['Last load', time(model.loaded_at)],
    ['A load takes', model.load_time_us ? duration(model.load_time_us) : ''],
    ['Gave way', number(model.evictions)],
    ['Failures', number(model.failures)],
    ['In a row', model.failures_in_row ? number(model.failures_in_row) : ''],
    ['Tried again', model.retry_at ? time(model.retry_at) : ''],
    ['Ran by its alternative', number(model.degraded)],
    ['Changed at', model.changed ? <ToPosition position={model.changed} /> : ''],
  ];
}

/** What loads and unloads it, as it was registered. */
function Commands({ text }: { text: string | undefined }) {
  if (!text) return null;
  return (
    <Section title="Commands">
      <pre tabIndex={0}>{text}</pre>
    </Section>
  );
}

export function ModelView() {
  const name = route.value.item;
  const reading = useRead<Model>(name ? `/v1/models/${segment(name)}` : null);
  return (
    <>
      <h1>Model {name}</h1>
      <Read of={reading}>
        {(model) => (
          <>
            <p class="actions">
              {actionsOf(model).map((action) => (
                <ActionButton key={action.name} action={action} />
              ))}
            </p>
            <div class="pair">
              <Section title="Place">
                <Facts facts={placeOf(model)} />
              </Section>
              <Section title="Use">
                <Facts facts={useOf(model)} />
              </Section>
            </div>
            <Commands text={model.commands} />
          </>
        )}
      </Read>
      <p>
        <Link to="gpu">All GPUs and models</Link>
      </p>
    </>
  );
}
