// Tasks by what they are and by an expression, page by page, as the server cuts them.
import { type Page, taskStates, type TaskSummary } from '../api/shapes.ts';
import { useRead } from '../api/use_read.ts';
import { Read } from '../parts/notice.tsx';
import { Turner, usePages } from '../parts/pages.tsx';
import { parameter, setParameters } from '../time/route.ts';
import { TaskTable } from './task_table.tsx';

const pageSize = 50;
const filters = ['queue', 'kind', 'tag'] as const;

/** Takes what is typed when it is done: at Enter, or when one leaves it. */
function TextFilter({
  name,
  label,
  isSearch,
}: {
  name: string;
  label: string;
  isSearch?: boolean;
}) {
  const value = parameter(name);
  return (
    <label class={isSearch ? 'wide' : ''}>
      {label}
      <input
        key={value}
        type="search"
        name={name}
        defaultValue={value}
        spellcheck={false}
        data-search={isSearch ? '' : undefined}
        placeholder={isSearch ? 'attempts > 2 && queue == "mail"' : ''}
        onChange={(event) => setParameters({ [name]: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return;
          event.preventDefault();
          setParameters({ [name]: event.currentTarget.value });
        }}
      />
    </label>
  );
}

function TaskFilter() {
  return (
    <form
      class="filters"
      role="search"
      aria-label="Tasks"
      onSubmit={(event) => event.preventDefault()}
    >
      <label>
        State
        <select
          name="state"
          value={parameter('state')}
          onChange={(event) => setParameters({ state: event.currentTarget.value })}
        >
          <option value="">any</option>
          {taskStates.map((each) => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
        </select>
      </label>
      {filters.map((name) => (
        <TextFilter key={name} name={name} label={name} />
      ))}
      <TextFilter name="where" label="where" isSearch />
    </form>
  );
}

export function TasksView() {
  const pages = usePages(['state', 'where', ...filters].map(parameter).join('\n'));
  const asked = Object.fromEntries(
    ['state', 'where', ...filters].map((name) => [name, parameter(name)]),
  );
  const reading = useRead<Page<TaskSummary>>('/v1/tasks', {
    limit: pageSize,
    page: pages.page,
    ...asked,
  });
  return (
    <>
      <h1>Tasks</h1>
      <TaskFilter />
      <Read of={reading}>{({ items }) => <TaskTable tasks={items} title="Tasks" />}</Read>
      <Turner pages={pages} next={reading.data?.next} />
    </>
  );
}
