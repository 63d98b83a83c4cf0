// Why a task waits, or waited: what led to it, what it waited for step by step, what came of it.
import type { CausedTask, Why } from '../api/shapes.ts';
import { Badge } from '../parts/badge.tsx';
import { Link, ToPosition } from '../parts/link.tsx';
import { duration, spaced, time } from '../parts/text.ts';

function Caused({ task }: { task: CausedTask }) {
  return (
    <li>
      {spaced(task.link)}{' '}
      <Link to="task" item={task.id}>
        task {task.id} <bdi>{task.label ?? ''}</bdi>
      </Link>{' '}
      <Badge state={task.state} />
      {task.caused.length > 0 ? <CausedList tasks={task.caused} /> : null}
      {task.left_out ? <span class="quiet"> and {task.left_out} more</span> : null}
    </li>
  );
}

const CausedList = ({ tasks }: { tasks: CausedTask[] }) => (
  <ul class="tree">
    {tasks.map((task) => (
      <Caused key={`${task.link} ${task.id}`} task={task} />
    ))}
  </ul>
);

const TaskList = ({ title, tasks }: { title: string; tasks: number[] }) =>
  tasks.length === 0 ? null : (
    <p>
      {title}{' '}
      {tasks.map((id, i) => (
        <span key={id}>
          {i > 0 ? ', ' : ''}
          <Link to="task" item={id}>
            {id}
          </Link>
        </span>
      ))}
    </p>
  );

function LedTo({ why }: { why: Why }) {
  const causes = why.causes ?? [];
  if (causes.length === 0) return null;
  return (
    <>
      <p>What led to it:</p>
      <ol class="tree">
        {causes.map((cause) => (
          <li key={cause.position}>
            <ToPosition position={cause.position} /> {spaced(cause.type)}{' '}
            {cause.task ? (
              <Link to="task" item={cause.task}>
                task {cause.task}
              </Link>
            ) : null}
          </li>
        ))}
      </ol>
    </>
  );
}

export function WhyTree({ why }: { why: Why }) {
  return (
    <>
      <LedTo why={why} />
      <TaskList title="It comes after:" tasks={why.after} />
      <ol class="steps">
        {why.steps.map((step, i) => (
          <li key={i} class={step.wait ? 'waits' : ''}>
            <span class="quiet">
              {time(step.time)} · <ToPosition position={step.position} />
            </span>
            <span>
              {step.sentence}
              {step.microseconds ? ` (${duration(step.microseconds)})` : ''}
            </span>
          </li>
        ))}
      </ol>
      <TaskList title="Its success let go:" tasks={why.unblocked} />
      <TaskList title="Its failure ended:" tasks={why.doomed} />
      {why.caused && why.caused.length > 0 ? (
        <>
          <p>What came of it:</p>
          <CausedList tasks={why.caused} />
        </>
      ) : null}
    </>
  );
}
