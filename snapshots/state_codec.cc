#include <almanac/snapshots/state_codec.h>

#include <almanac/snapshots/advisors_codec.h>
#include <almanac/snapshots/audits_codec.h>
#include <almanac/snapshots/backups_codec.h>
#include <almanac/snapshots/circuits_codec.h>
#include <almanac/snapshots/columns.h>
#include <almanac/snapshots/components_codec.h>
#include <almanac/snapshots/contexts_codec.h>
#include <almanac/snapshots/custom_keys_codec.h>
#include <almanac/snapshots/gpu_codec.h>
#include <almanac/snapshots/groups_codec.h>
#include <almanac/snapshots/health_codec.h>
#include <almanac/snapshots/limits_codec.h>
#include <almanac/snapshots/marks_codec.h>
#include <almanac/snapshots/memory_codec.h>
#include <almanac/snapshots/models_codec.h>
#include <almanac/snapshots/pools_codec.h>
#include <almanac/snapshots/ranking_codec.h>
#include <almanac/snapshots/schedule_codec.h>
#include <almanac/snapshots/state_columns.h>
#include <almanac/snapshots/tasks_codec.h>

#include <algorithm>
#include <array>
#include <future>
#include <iterator>
#include <string_view>
#include <utility>

namespace almanac {
namespace {

// What a task takes with its places in the orders, in most states.
constexpr std::size_t task_bytes_aim = 32;

void write_names(ColumnWriter& writer, const Names& names) {
  std::vector<std::string_view> texts;
  for (std::uint32_t id = 0; id < names.size(); ++id) texts.push_back(names.text({id}));
  write_texts<1>(
      writer, texts, texts.size(), [](std::string_view text) { return Row<1>{text.size()}; },
      [](std::string_view text) { return text; });
}

void write_held(ColumnWriter& writer, const Tasks& tasks) {
  writer.table<5>(tasks.held, tasks.held.size(), [](const auto& entry) {
    const Hold& hold = entry.value;
    return Row<5>{entry.key.value, std::uint64_t(hold.reason), std::uint64_t(hold.outcome),
                  hold.started.value, hold.ended.value};
  });
}

void write_terms(ColumnWriter& writer, const Tasks& tasks) {
  writer.table<5>(tasks.terms, tasks.terms.size(), [](const auto& entry) {
    const TaskTerms& terms = entry.value;
    return Row<5>{entry.key.value, owner_number(terms.owner), number_of(terms.deadline),
                  number_of(terms.estimate), number_of(terms.expires_at)};
  });
}

void write_engine(ColumnWriter& writer, const EngineInfo& engine) {
  for (const std::uint64_t number :
       {std::uint64_t(engine.running), engine.starts, engine.process_id,
        std::uint64_t{engine.slots}, engine.seed, number_of(engine.started_at),
        std::uint64_t(engine.version.size())}) {
    writer.number(number);
  }
  writer.bytes(as_bytes(engine.version));
}

// What came later stands behind all else, each behind its number and only when there is something
// of it: a state that has none of it is written as it always was.
enum class LaterPart : std::uint64_t {
  held = 1,
  backups = 2,
  terms = 3,
  schedules = 4,
  ranking = 5,
  demands = 6,
  blocked = 7,
  limits = 8,
  conditions = 9,
  marks = 10,
  pauses = 11,
  needed_by = 12,
  retries = 13,
  implementations = 14,
  unique = 15,
  versions = 16,
  circuits = 17,
  remote = 18,
  queue_retention = 19,
  groups = 20,
  components = 21,
  pools = 22,
  health = 23,
  gpu = 24,
  advisors = 25,
  memories = 26,
  contexts = 27,
  models = 28,
  sealed_memories = 29,
  audits = 30,
  gpu_use = 32,
  custom_keys = 33,
};

// What programs have beside their tasks.
void write_parts_of_programs(ColumnWriter& writer, const State& state) {
  if (!state.components.empty()) {
    writer.number(std::uint64_t(LaterPart::components));
    write_components(writer, state.components);
  }
  if (!state.pools.all.empty()) {
    writer.number(std::uint64_t(LaterPart::pools));
    write_pools(writer, state.pools);
  }
  if (state.health.changes > 0) {
    writer.number(std::uint64_t(LaterPart::health));
    write_health(writer, state.health);
  }
  if (!state.gpu.devices.empty()) {
    writer.number(std::uint64_t(LaterPart::gpu));
    write_gpu(writer, state.gpu);
  }
  if (!state.advisors.all.empty()) {
    writer.number(std::uint64_t(LaterPart::advisors));
    write_advisors(writer, state.advisors);
  }
  if (!state.memories.empty()) {
    writer.number(std::uint64_t(LaterPart::memories));
    write_memories(writer, state.memories);
  }
  if (!state.contexts.empty()) {
    writer.number(std::uint64_t(LaterPart::contexts));
    write_contexts(writer, state.contexts);
  }
  if (!state.models.all.empty()) {
    writer.number(std::uint64_t(LaterPart::models));
    write_models(writer, state.models);
  }
  if (has_sealed_memories(state.memories)) {
    writer.number(std::uint64_t(LaterPart::sealed_memories));
    write_sealed_memories(writer, state.memories);
  }
  if (!state.audits.empty()) {
    writer.number(std::uint64_t(LaterPart::audits));
    write_audits(writer, state.audits);
  }
  if (has_gpu_use(state)) {
    writer.number(std::uint64_t(LaterPart::gpu_use));
    write_gpu_use(writer, state);
  }
  if (!state.custom_keys.empty()) {
    writer.number(std::uint64_t(LaterPart::custom_keys));
    write_custom_keys(writer, state.custom_keys);
  }
}

void write_marked_parts(ColumnWriter& writer, const State& state) {
  const Tasks& tasks = state.tasks;
  if (!tasks.conditions.empty()) {
    writer.number(std::uint64_t(LaterPart::conditions));
    write_conditions(writer, tasks);
  }
  if (!tasks.crashes.empty() || !tasks.progress.empty()) {
    writer.number(std::uint64_t(LaterPart::marks));
    write_marks(writer, tasks);
  }
  if (!state.pauses.all.empty()) {
    writer.number(std::uint64_t(LaterPart::pauses));
    write_pauses(writer, state.pauses);
  }
  if (!tasks.needed_by.empty()) {
    writer.number(std::uint64_t(LaterPart::needed_by));
    write_edges(writer, tasks.needed_by);
  }
  const auto has_retries = [](const auto& entry) { return entry.value.has_retries(); };
  if (std::ranges::any_of(tasks.terms, has_retries)) {
    writer.number(std::uint64_t(LaterPart::retries));
    write_retries(writer, tasks);
  }
  if (!state.implementations.all.empty() || !tasks.run_by.empty()) {
    writer.number(std::uint64_t(LaterPart::implementations));
    write_implementations(writer, state);
  }
  if (!tasks.unique.empty()) {
    writer.number(std::uint64_t(LaterPart::unique));
    write_unique(writer, tasks.unique);
  }
  const auto has_version = [](const auto& entry) { return entry.value.version != 0; };
  if (!state.implementations.versions.empty() || std::ranges::any_of(tasks.terms, has_version)) {
    writer.number(std::uint64_t(LaterPart::versions));
    write_versions(writer, state);
  }
  if (!state.circuits.empty()) {
    writer.number(std::uint64_t(LaterPart::circuits));
    write_circuits(writer, state.circuits);
  }
  if (!tasks.remote.empty()) {
    writer.number(std::uint64_t(LaterPart::remote));
    write_remote(writer, tasks);
  }
  if (!state.queues.retention.empty()) {
    writer.number(std::uint64_t(LaterPart::queue_retention));
    write_queue_retention(writer, state.queues);
  }
  if (!tasks.groups.empty()) {
    writer.number(std::uint64_t(LaterPart::groups));
    write_groups(writer, tasks.groups);
  }
  write_parts_of_programs(writer, state);
}

void write_later_parts(ColumnWriter& writer, const State& state) {
  if (!state.tasks.held.empty()) {
    writer.number(std::uint64_t(LaterPart::held));
    write_held(writer, state.tasks);
  }
  if (!state.backups.jobs.empty()) {
    writer.number(std::uint64_t(LaterPart::backups));
    write_backups(writer, state.backups);
  }
  if (!state.tasks.terms.empty()) {
    writer.number(std::uint64_t(LaterPart::terms));
    write_terms(writer, state.tasks);
  }
  if (!state.schedules.all.empty()) {
    writer.number(std::uint64_t(LaterPart::schedules));
    write_schedules(writer, state.schedules);
  }
  if (!state.tasks.ranking.empty()) {
    writer.number(std::uint64_t(LaterPart::ranking));
    write_ranking(writer, state.tasks.ranking);
  }
  if (state.tasks.demand_sets.size() > 0) {
    writer.number(std::uint64_t(LaterPart::demands));
    write_demands(writer, state.tasks);
  }
  if (!state.tasks.blocked.empty()) {
    writer.number(std::uint64_t(LaterPart::blocked));
    write_blocked(writer, state.tasks);
  }
  if (!state.limits.empty()) {
    writer.number(std::uint64_t(LaterPart::limits));
    write_limits(writer, state.limits);
  }
  write_marked_parts(writer, state);
}

void read_engine(ColumnReader& reader, EngineInfo& engine) {
  engine.running = reader.number() != 0;
  engine.starts = reader.number();
  engine.process_id = reader.number();
  engine.slots = small(reader.number());
  engine.seed = reader.number();
  engine.started_at = time_of(reader.number());
  engine.version = as_text(reader.bytes(reader.number()));
}

void read_held(ColumnReader& reader, Tasks& tasks) {
  read_sorted<5>(reader, tasks.held, [&](const Row<5>& row) {
    if (row[1] >= std::uint64_t(hold_reason_count) || row[2] >= std::uint64_t(task_outcome_count)) {
      reader.fail();
    }
    return std::pair(TaskId(row[0]), Hold{.reason = static_cast<HoldReason>(row[1]),
                                          .outcome = static_cast<TaskOutcome>(row[2]),
                                          .started = Position(row[3]),
                                          .ended = Position(row[4])});
  });
}

void read_terms(ColumnReader& reader, Tasks& tasks) {
  read_sorted<5>(reader, tasks.terms, [](const Row<5>& row) {
    return std::pair(TaskId(row[0]), TaskTerms{.owner = owner_of(row[1]),
                                               .deadline = time_of(row[2]),
                                               .estimate = duration_of(row[3]),
                                               .expires_at = time_of(row[4])});
  });
}

// This order follows from the tasks and their terms.
void enter_expiring(Tasks& tasks) {
  for (const auto& [id, terms] : tasks.terms) {
    const Task* task = tasks.all.find(id);
    const Time at = task == nullptr ? Time() : expiry(tasks, id, *task);
    if (at != Time()) tasks.expiring.insert({at, id});
  }
}

void read_later_part(ColumnReader& reader, State& state) {
  switch (static_cast<LaterPart>(reader.number())) {
    case LaterPart::held: return read_held(reader, state.tasks);
    case LaterPart::backups: return read_backups(reader, state.backups);
    case LaterPart::terms: return read_terms(reader, state.tasks);
    case LaterPart::schedules: return read_schedules(reader, state.schedules);
    case LaterPart::ranking: return read_ranking(reader, state.tasks.ranking);
    case LaterPart::demands: return read_demands(reader, state.tasks);
    case LaterPart::blocked: return read_blocked(reader, state.tasks);
    case LaterPart::limits: return read_limits(reader, state);
    case LaterPart::conditions: return read_conditions(reader, state.tasks);
    case LaterPart::marks: return read_marks(reader, state.tasks);
    case LaterPart::pauses: return read_pauses(reader, state.pauses);
    case LaterPart::needed_by: return read_edges(reader, state.tasks.needed_by);
    case LaterPart::retries: return read_retries(reader, state.tasks);
    case LaterPart::implementations: return read_implementations(reader, state);
    case LaterPart::unique: return read_unique(reader, state.tasks.unique);
    case LaterPart::versions: return read_versions(reader, state);
    case LaterPart::groups: return read_groups(reader, state.tasks);
    case LaterPart::queue_retention: return read_queue_retention(reader, state.queues);
    case LaterPart::circuits: return read_circuits(reader, state);
    case LaterPart::remote: return read_remote(reader, state.tasks);
    case LaterPart::components: return read_components(reader, state);
    case LaterPart::pools: return read_pools(reader, state);
    case LaterPart::health: return read_health(reader, state.health);
    case LaterPart::gpu: return read_gpu(reader, state);
    case LaterPart::advisors: return read_advisors(reader, state);
    case LaterPart::memories: return read_memories(reader, state);
    case LaterPart::contexts: return read_contexts(reader, state.contexts);
    case LaterPart::models: return read_models(reader, state);
    case LaterPart::sealed_memories: return read_sealed_memories(reader, state);
    case LaterPart::audits: return read_audits(reader, state);
    case LaterPart::gpu_use: return read_gpu_use(reader, state);
    case LaterPart::custom_keys: return read_custom_keys(reader, state.custom_keys);
  }
  reader.fail();
}

}  // namespace

std::vector<std::byte> encode(const State& state, ColumnWriter writer) {
  if (!writer.has_sink()) writer.reserve(state.tasks.all.size() * task_bytes_aim);
  writer.number(state.position.value);
  writer.number(number_of(state.time));
  writer.number(state.ignored);
  write_names(writer, state.names);
  write_tasks(writer, state.tasks);
  writer.table<2>(state.queues.slots, state.queues.slots.size(),
                  [](const auto& entry) { return Row<2>{entry.key.value, entry.value}; });
  write_engine(writer, state.engine);
  write_later_parts(writer, state);
  return writer.take();
}

Result<State> decode_state(Bytes bytes, std::shared_ptr<const void> keeper) {
  return decode_state(ColumnReader(bytes, std::move(keeper)));
}

Result<State> decode_state(ColumnReader reader) {
  State state;
  state.position = Position(reader.number());
  state.time = time_of(reader.number());
  state.ignored = reader.number();
  read_texts<1>(reader, [&](const Row<1>&, std::string_view name) { state.names.intern(name); });
  read_tasks(reader, state.tasks);
  read_sorted<2>(reader, state.queues.slots,
                 [](const Row<2>& row) { return std::pair(name_of(row[0]), small(row[1])); });
  read_engine(reader, state.engine);
  while (!reader.failed() && !reader.at_end()) read_later_part(reader, state);
  enter_expiring(state.tasks);
  const bool knows_held = state.tasks.held.size() == state.tasks.count(TaskState::held);
  if (reader.failed() || !knows_held || !knows_tags(state.tasks)) {
    return fail(ErrorCode::corrupt, "the state in it makes no sense");
  }
  return state;
}

}  // namespace almanac
