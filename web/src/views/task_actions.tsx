// What can be done with a task, by its state.
import type { TaskState, TaskSummary } from '../api/shapes.ts';
import { type Action, ActionButton } from '../parts/action.tsx';
import { isolated } from '../parts/text.ts';

const reason = { name: 'reason', label: 'Reason, for the log' };

type ActionRow = Omit<Action, 'question' | 'path' | 'method'> & {
  /** The last part of its path. */
  does: string;
  states: readonly TaskState[];
};

const rows: ActionRow[] = [
  {
    name: 'Retry',
    does: 'retry',
    states: ['failed'],
    sentence: 'It is ready again, with all its attempts.',
    fields: [reason],
  },
  {
    name: 'Pause',
    does: 'pause',
    states: ['waiting', 'delayed', 'ready'],
    sentence: 'It does not begin before somebody lets it go on.',
    fields: [reason],
  },
  {
    name: 'Resume',
    does: 'resume',
    states: ['held'],
    sentence: 'It goes on where it was held.',
    fields: [reason],
  },
  {
    name: 'Hasten',
    does: 'hasten',
    states: ['delayed'],
    offered: '/v1/tasks/{id}/hasten',
    sentence: 'It is ready now, before its time.',
  },
  {
    name: 'Cancel',
    does: 'cancel',
    states: ['waiting', 'delayed', 'ready', 'held', 'running'],
    isGrave: true,
    sentence:
      'It begins no more; if it runs, it is told to stop. What waits for its success goes with it.',
    fields: [reason],
  },
];

export function actionsOf(task: TaskSummary): Action[] {
  const named = task.label ? `task ${task.id} (${isolated(task.label)})` : `task ${task.id}`;
  return rows
    .filter((row) => row.states.includes(task.state))
    .map(({ does, states: _, ...action }) => ({
      ...action,
      question: `${action.name} ${named}?`,
      method: 'POST',
      path: `/v1/tasks/${task.id}/${does}`,
      body: {},
    }));
}

export function TaskActions({ task }: { task: TaskSummary }) {
  const actions = actionsOf(task);
  if (actions.length === 0) return null;
  return (
    <span class="actions">
      {actions.map((action) => (
        <ActionButton key={action.name} action={action} />
      ))}
    </span>
  );
}
