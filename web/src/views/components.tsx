// Parts that the engine keeps in working order, and how well it goes.
import type { Component, Health, Implementation, Page } from '../api/shapes.ts';
import { segment } from '../api/client.ts';
import { useRead } from '../api/use_read.ts';
import { type Action, ActionButton } from '../parts/action.tsx';
import { Badge } from '../parts/badge.tsx';
import { Facts } from '../parts/facts.tsx';
import { Empty, Read } from '../parts/notice.tsx';
import { Section } from '../parts/section.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { number, spaced, time } from '../parts/text.ts';
import { isPast } from '../time/moment.ts';

const columns: Column<Implementation>[] = [
  { name: 'Implementation', cell: (row) => row.implementation },
  { name: 'State', cell: (row) => <Badge state={row.state} /> },
  { name: 'Issue', cell: (row) => spaced(row.issue) },
  { name: 'Trend', cell: (row) => row.trend },
  { name: 'Score', isNumber: true, cell: (row) => `${number(row.score_permille / 10)} %` },
  { name: 'Repairs', isNumber: true, cell: (row) => number(row.attempts_total) },
  { name: 'Checks', isNumber: true, cell: (row) => number(row.checks) },
  { name: 'Next check', cell: (row) => time(row.next_check) },
];

const repairs: Action[] = [
  {
    name: 'Check',
    question: 'Check all components?',
    method: 'POST',
    path: '/self-healing/force-check',
    sentence: 'Looks at each of them now.',
  },
  {
    name: 'Diagnose',
    question: 'Diagnose all components?',
    method: 'POST',
    path: '/self-healing/diagnose',
    sentence: 'Looks what is wrong, and says what would help.',
  },
  {
    name: 'Fix',
    question: 'Fix what is broken?',
    method: 'POST',
    path: '/self-healing/fix',
    sentence: 'Repairs what is wrong, also what was given up.',
  },
  {
    name: 'Build anew',
    question: 'Build all components anew?',
    method: 'POST',
    path: '/self-healing/clean-build',
    isGrave: true,
    sentence: 'Cleans and builds all of them, also what is healthy.',
  },
];

const aboutOne = ({ component, implementations }: Component): Action[] => {
  const path = `/v1/components/${segment(component)}`;
  const names = implementations.map((each) => each.implementation);
  return [
    {
      name: 'Check it',
      question: `Check ${component}?`,
      sentence: 'Looks at its implementations soon.',
      method: 'POST',
      path: `${path}/check`,
      offered: '/v1/components/{component}/check',
      body: {},
    },
    {
      name: 'Repair it',
      question: `Repair ${component}?`,
      sentence: 'Repairs one of its implementations, also one that was given up.',
      method: 'POST',
      path: `${path}/repair`,
      offered: '/v1/components/{component}/repair',
      body: {},
      fields: [{ name: 'implementation', label: 'Implementation', choices: names }],
    },
    {
      name: 'Switch',
      question: `Switch ${component}?`,
      sentence: 'Uses this implementation while it is healthy.',
      method: 'POST',
      path: `${path}/switch`,
      offered: '/v1/components/{component}/switch',
      body: {},
      fields: [{ name: 'implementation', label: 'Implementation', choices: names }],
    },
  ];
};

function HealthSection() {
  const health = useRead<Health>('/health', {}, { hasPast: false });
  if (isPast.value) return null;
  return (
    <Section title="Health">
      <Read of={health}>
        {(data) => (
          <Facts
            facts={[
              ['State', <Badge state={data.status} />],
              ['Self-healing', data.self_healing?.enabled ? 'on' : 'off'],
              ['Repairs', number(data.self_healing?.fix_attempts ?? 0)],
            ]}
          />
        )}
      </Read>
    </Section>
  );
}

function One({ component }: { component: Component }) {
  return (
    <Section
      title={component.component}
      aside={
        <span class="actions">
          {aboutOne(component).map((action) => (
            <ActionButton key={action.name} action={action} />
          ))}
        </span>
      }
    >
      <Facts
        facts={[
          ['Folder', component.folder],
          ['In use', component.active],
          ['Pinned', component.pinned],
          ['Switches', number(component.switches)],
        ]}
      />
      <Table
        title={`Implementations of ${component.component}`}
        rows={component.implementations}
        columns={columns}
        rowKey={(row) => row.implementation}
        empty="It has no implementation."
      />
    </Section>
  );
}

export function ComponentsView() {
  const reading = useRead<Page<Component>>('/v1/components');
  return (
    <>
      <h1>Components</h1>
      <div class="actions">
        {repairs.map((action) => (
          <ActionButton key={action.name} action={action} />
        ))}
      </div>
      <HealthSection />
      <Read of={reading}>
        {(components) =>
          components.items.length === 0 ? (
            <Empty>Nothing is kept in order here: serve was given no components.</Empty>
          ) : (
            components.items.map((each) => <One key={each.component} component={each} />)
          )
        }
      </Read>
    </>
  );
}
