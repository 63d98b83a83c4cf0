// What the daemon answers, as far as the page shows it. Members that may be missing are optional:
// a daemon of another version leaves them out.

export const taskStates = [
  'waiting',
  'delayed',
  'ready',
  'running',
  'cancelling',
  'succeeded',
  'failed',
  'cancelled',
  'held',
] as const;
export type TaskState = (typeof taskStates)[number];
export type Counts = Record<TaskState, number>;

export interface Page<T> {
  items: T[];
  next: string | null;
  /** What may have been meant, where nothing was found. */
  hint?: string;
}

export interface About {
  name: string;
  version: string;
  timeline: string;
  position: number;
}

export interface TaskSummary {
  id: number;
  label?: string;
  state: TaskState;
  queue: string;
  kind: string;
  priority: number;
  tags?: string[];
  attempts: number;
  failures: number;
  attempts_max: number;
  enqueued_at: string;
  run_at?: string;
  started_at?: string;
  ended_at?: string;
}

export interface TaskDetail extends TaskSummary {
  command?: string;
  folder?: string;
  after?: number[];
  when?: string[];
  timeout?: string;
  retry?: string;
  lease?: number;
  run_by?: string;
  output?: string;
  message?: string;
  status?: string;
  code?: number;
  payload_bytes?: number;
  [other: string]: unknown;
}

export interface WhyStep {
  position: number;
  time: string;
  sentence: string;
  wait?: string;
  until?: number;
  microseconds?: number;
}

/** A task that came of another one: how, and what came of it in turn. */
export interface CausedTask {
  id: number;
  label?: string;
  state: TaskState;
  link: string;
  position: number;
  caused: CausedTask[];
  left_out?: number;
}

export interface WhyCause {
  position: number;
  type: string;
  task?: number;
}

export interface Why {
  id: number;
  label?: string;
  state: TaskState;
  after: number[];
  steps: WhyStep[];
  unblocked: number[];
  doomed: number[];
  causes?: WhyCause[];
  caused?: CausedTask[];
  left_out?: number;
}

export interface LogEvent {
  position: number;
  time: string;
  type: string;
  [other: string]: unknown;
}

export interface Queue extends Counts {
  queue: string;
  slots: number;
  policy?: string;
  paused: boolean;
}

export interface Schedule {
  schedule: string;
  recurrence: string;
  missed: string;
  overlap: string;
  paused: boolean;
  next: string | null;
  fired: string | null;
  firings: number;
  skipped: number;
  task: number | null;
  label?: string;
  queue?: string;
}

export interface Circuit {
  service: string;
  state: string;
  since: string | null;
  until: string | null;
  consecutive_failures: number;
  successes: number;
  failures: number;
  trips: number;
  average_us: number;
  waiting: number;
}

export interface Pool {
  pool: string;
  alive: number;
  created: number;
  failed: number;
  exhausted: number;
  retired: Record<string, number> | number;
  changed_at: string | null;
}

export interface Implementation {
  implementation: string;
  state: string;
  issue: string;
  trend: string;
  next_check: string | null;
  repair_at: string | null;
  attempts: number;
  attempts_total: number;
  checks: number;
  failures: number;
  score_permille: number;
}

export interface Component {
  component: string;
  folder: string;
  active: string | null;
  pinned: string | null;
  switches: number;
  attempts_max: number;
  implementations: Implementation[];
}

export interface Health {
  status: string;
  self_healing?: { enabled: boolean; fix_attempts: number; success_rate: number };
}

export interface GpuSample {
  at: string;
  own: number;
  budget: number;
}

export interface GpuHeap {
  size: number;
  used: number | null;
  own: number | null;
  others: number | null;
  budget: number;
  available: number;
  utilisation: number | null;
  is_estimate: boolean;
  is_local: boolean;
  level: string;
  alert_at: string | null;
  samples?: GpuSample[];
}

export interface Gpu {
  device: string;
  name: string;
  kind: string;
  presence: string;
  changed_at: string | null;
  sampled_at: string | null;
  held_by_tasks: number;
  heaps: GpuHeap[];
}

export interface Model {
  model: string;
  state: string;
  gpu: string | null;
  only_gpu?: string | null;
  alternative?: string | null;
  residency_us?: number;
  commands?: string;
  load_time_us?: number;
  loaded_at?: string | null;
  failures_in_row?: number;
  retry_at?: string | null;
  changed?: number;
  bytes: number;
  learned: number;
  reserved: number;
  priority: number;
  pinned: boolean;
  uses: number;
  used_at: string | null;
  loads: number;
  evictions: number;
  failures: number;
  degraded: number;
}

export interface Memory {
  memory: number;
  kind: string;
  user: string;
  content: string;
  summary: string;
  tags?: string[];
  embedding?: number[];
  significance: number;
  stored: number;
  stored_at: string;
  expires_at: string | null;
  task: number;
  similarity: number;
}

export interface Limit {
  limit?: string;
  name?: string;
  [other: string]: unknown;
}

export interface Quantiles {
  count: number;
  p50_us: number;
  p95_us: number;
  max_us: number;
}

export interface Stats {
  queue?: string | null;
  tasks: Counts;
  live: number;
  since: string;
  until: string;
  submitted: number;
  submitted_per_hour: number;
  succeeded: number;
  succeeded_per_hour: number;
  failed: number;
  cancelled: number;
  completion: number;
  wait: Quantiles;
  run: Quantiles;
}

/** What changed: path by path, each value before and after. */
export interface Difference {
  from: number;
  to: number;
  changes: Record<string, Record<string, unknown>>;
}

export interface Rate {
  minutes: number;
  enqueued_per_minute: number;
  started_per_minute: number;
  succeeded_per_minute: number;
  failed_per_minute: number;
  sampled: boolean;
}

/** A task of the overview. */
export interface TaskRow {
  id: number;
  label: string;
  queue: string;
  kind: string;
  state: TaskState;
  attempt: number;
  since?: string;
  running_us?: number;
  permille?: number | null;
  worker?: string | null;
  ended_at?: string;
  code?: number;
}

export interface Overview {
  position: number;
  time: string;
  now: string;
  engine: { running: boolean; slots: number; started_at: string | null; version: string };
  health: { health: string; since: string | null; reasons: string[] };
  tasks: Counts;
  live: number;
  rates: Rate[];
  queues: Queue[];
  running: TaskRow[];
  running_left_out: number;
  ended: TaskRow[];
  circuits: { service: string; state: string; since: string | null }[];
  components: { component: string; implementation: string; state: string; issue: string }[];
  gpus: GpuRow[];
}

export interface GpuRow {
  gpu: string;
  name: string;
  presence: string;
  heap: number;
  level: string;
  size: number;
  used: number | null;
  own: number | null;
}

export interface Recommended {
  id: number;
  label: string;
  queue: string;
  kind: string;
  policy: string;
  score: number;
  factors: Record<string, number>;
  owner?: string;
  until_deadline_us?: number;
}

/** A task that a restore holds; positions are those of the log that was left. */
export interface Review {
  id: number;
  label: string;
  outcome: string;
  started?: number;
  ended?: number;
}

export interface Group {
  group: string;
  state: string;
  opened_at: string;
  closed_at?: string;
  tasks: number;
  live: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  awaited_by: number[];
}

export interface Bisected {
  position: number;
  states: number;
  event: LogEvent | null;
}

export interface AuditCounts {
  requests: number;
  refusals: number;
  last: number;
  last_at: string | null;
}

/** A request, or with a reason a refusal. */
export interface AuditEntry {
  position: number;
  at: string;
  door: string;
  principal: string;
  action: string;
  subject?: string;
  count?: number;
  reason?: string;
  status?: number;
  left_out?: number;
  remote: string;
}

export interface Audit {
  principals: Record<string, AuditCounts>;
  items: AuditEntry[];
}

export interface Snapshot {
  snapshot: number;
  whole: boolean;
  encrypted: boolean;
  damage?: string[];
  tag?: string;
  made_at?: string;
  first?: number;
  last?: number;
  first_time?: string;
  last_time?: string;
  bytes?: number;
  new_bytes?: number;
}

export interface CoverageRange {
  first: number;
  last: number;
  first_time: string;
  last_time: string;
}

export interface Coverage {
  timeline: string;
  ranges: CoverageRange[];
  marks: { snapshot: number; time: string }[];
}

export interface Repository {
  repository: string;
  error: string | null;
  encrypted?: boolean;
  snapshots?: Snapshot[];
  coverage?: Coverage[];
}
