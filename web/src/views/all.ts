// The views, in the order of the menu. `key` goes there from anywhere, after g.
import type { FunctionComponent } from 'preact';
import { AuditView } from './audit.tsx';
import { BisectView } from './bisect.tsx';
import { CircuitsView } from './circuits.tsx';
import { ComponentsView } from './components.tsx';
import { ContextsView } from './contexts.tsx';
import { DifferenceView } from './difference.tsx';
import { GpuView } from './gpu.tsx';
import { GroupsView } from './groups.tsx';
import { LimitsView } from './limits.tsx';
import { LogView } from './log.tsx';
import { MemoriesView } from './memories.tsx';
import { ModelView } from './model.tsx';
import { NextView } from './next.tsx';
import { OverviewView } from './overview.tsx';
import { PoolsView } from './pools.tsx';
import { QueuesView } from './queues.tsx';
import { ReviewsView } from './reviews.tsx';
import { SchedulesView } from './schedules.tsx';
import { SnapshotsView } from './snapshots.tsx';
import { TaskView } from './task.tsx';
import { TasksView } from './tasks.tsx';

export interface View {
  name: string;
  title: string;
  key: string;
  show: FunctionComponent;
  isHidden?: boolean;
}

export const views: View[] = [
  { name: 'overview', title: 'Overview', key: 'o', show: OverviewView },
  { name: 'tasks', title: 'Tasks', key: 't', show: TasksView },
  { name: 'task', title: 'Task', key: '', show: TaskView, isHidden: true },
  { name: 'next', title: 'To be done next', key: 'n', show: NextView },
  { name: 'groups', title: 'Groups', key: 'j', show: GroupsView },
  { name: 'reviews', title: 'Reviews', key: 'v', show: ReviewsView },
  { name: 'queues', title: 'Queues', key: 'q', show: QueuesView },
  { name: 'schedules', title: 'Schedules', key: 's', show: SchedulesView },
  { name: 'limits', title: 'Limits', key: 'i', show: LimitsView },
  { name: 'circuits', title: 'Circuits', key: 'c', show: CircuitsView },
  { name: 'pools', title: 'Pools', key: 'p', show: PoolsView },
  { name: 'components', title: 'Components', key: 'r', show: ComponentsView },
  { name: 'gpu', title: 'GPU and models', key: 'u', show: GpuView },
  { name: 'model', title: 'Model', key: '', show: ModelView, isHidden: true },
  { name: 'memories', title: 'Memories', key: 'm', show: MemoriesView },
  { name: 'contexts', title: 'Contexts', key: 'x', show: ContextsView },
  { name: 'log', title: 'Log', key: 'l', show: LogView },
  { name: 'audit', title: 'Audit', key: 'a', show: AuditView },
  { name: 'snapshots', title: 'Snapshots', key: 'b', show: SnapshotsView },
  { name: 'difference', title: 'Difference', key: 'd', show: DifferenceView },
  { name: 'bisect', title: 'Since when', key: 'w', show: BisectView },
];
