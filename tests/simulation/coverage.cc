#include <almanac/tests/simulation/coverage.h>

#include <algorithm>
#include <functional>

namespace almanac::test {
namespace {

constexpr std::array<std::string_view, fault_count> fault_names = {
    "slow disk",      "full disk",          "full reserve",  "lost commit",     "unreported commit",
    "crash",          "crash after commit", "restored log",  "failing worker",  "dying worker",
    "hanging worker", "late report",        "double report", "foreign report",  "silent worker",
    "clock forward",  "clock back",         "suspended",     "daylight saving", "pressing others",
    "lying budget",   "slow release",       "lost GPU",      "failing load",    "hanging load"};

constexpr std::array<std::string_view, verb_count> verb_names = {"start",
                                                                 "stop",
                                                                 "stop at once",
                                                                 "submit",
                                                                 "submit again",
                                                                 "submit badly",
                                                                 "cancel",
                                                                 "configure queue",
                                                                 "configure limit",
                                                                 "take tokens",
                                                                 "review",
                                                                 "retry",
                                                                 "pause",
                                                                 "resume",
                                                                 "report",
                                                                 "back up",
                                                                 "configure circuit",
                                                                 "force circuit",
                                                                 "make request",
                                                                 "lease",
                                                                 "heartbeat",
                                                                 "give back",
                                                                 "open group",
                                                                 "close group",
                                                                 "register model",
                                                                 "change model",
                                                                 "use model",
                                                                 "unload model"};

constexpr std::array<std::string_view, gpu_step_count> gpu_step_names = {
    "GPU appeared",
    "GPU removed",
    "GPU lost",
    "driver gone",
    "alert raised",
    "alert cleared",
    "load",
    "loaded",
    "load failed",
    "measured",
    "not measured",
    "unload as asked",
    "unload for a model",
    "unload for a task's memory",
    "unload as critical",
    "unload as unknown",
    "unloaded",
    "unload failed",
    "released",
    "released slowly",
    "model lost",
    "checked and there",
    "checked and gone",
    "used",
    "degraded",
    "task with a model",
    "task with memory"};

template <class Counts>
void add_each(Counts& counts, const Counts& others) {
  std::ranges::transform(counts, others, counts.begin(), std::plus());
}

}  // namespace

std::string Coverage::goal_name(std::size_t goal) {
  if (goal >= first_gpu_step) return std::string(gpu_step_names[goal - first_gpu_step]);
  if (goal >= lifecycle.size() + verb_count) {
    const CircuitEdge& edge = circuit_edges[goal - lifecycle.size() - verb_count];
    return "circuit " + std::string(name(edge.from)) + " -> " + std::string(name(edge.to)) +
           " by " + std::string(name(edge.cause));
  }
  if (goal >= lifecycle.size()) return std::string(verb_names[goal - lifecycle.size()]);
  const Transition& row = lifecycle[goal];
  return (row.from ? std::string(name(*row.from)) : "nothing") + " -> " +
         std::string(name(row.to)) + " by " + std::string(name(row.step));
}

std::string_view name(Fault fault) { return fault_names[static_cast<std::size_t>(fault)]; }
std::string_view name(Verb verb) { return verb_names[static_cast<std::size_t>(verb)]; }
std::string_view name(GpuStep step) { return gpu_step_names[static_cast<std::size_t>(step)]; }

void Coverage::strike(Fault fault) { ++faults_[static_cast<std::size_t>(fault)]; }

void Coverage::reach(std::optional<TaskState> from, TaskStep step, TaskState to) {
  auto row = std::ranges::find_if(lifecycle, [&](const Transition& one) {
    return one.from == from && one.step == step && one.to == to;
  });
  if (row != lifecycle.end()) count(static_cast<std::size_t>(row - lifecycle.begin()));
}

void Coverage::reach(const CircuitEdge& edge) {
  const auto row = std::ranges::find_if(circuit_edges, [&](const CircuitEdge& one) {
    return one.from == edge.from && one.cause == edge.cause && one.to == edge.to;
  });
  count(lifecycle.size() + verb_count + static_cast<std::size_t>(row - circuit_edges.begin()));
}

void Coverage::count(std::size_t goal) {
  ++goals_[goal];
  for (std::size_t fault = 0; fault < fault_count; ++fault) {
    if (faults_[fault] > 0) ++pairs_[fault][goal];
  }
}

void Coverage::add(const Coverage& other) {
  add_each(faults_, other.faults_);
  add_each(goals_, other.goals_);
  for (std::size_t fault = 0; fault < fault_count; ++fault) {
    add_each(pairs_[fault], other.pairs_[fault]);
  }
}

std::vector<std::string> Coverage::unreached() const {
  std::vector<std::string> missing;
  for (std::size_t goal = 0; goal < goal_count; ++goal) {
    if (goals_[goal] == 0) missing.push_back(goal_name(goal));
  }
  for (std::size_t fault = 0; fault < fault_count; ++fault) {
    if (faults_[fault] == 0) missing.emplace_back(fault_names[fault]);
    for (std::size_t goal = 0; goal < goal_count; ++goal) {
      if (faults_[fault] == 0 || goals_[goal] == 0 || pairs_[fault][goal] > 0) continue;
      if (fault >= first_gpu_fault && is_of_circuits(goal)) continue;
      missing.push_back(goal_name(goal) + " behind " + std::string(fault_names[fault]));
    }
  }
  return missing;
}

std::string Coverage::summary() const {
  std::string text;
  for (std::size_t fault = 0; fault < fault_count; ++fault) {
    text += std::string(fault_names[fault]) + " " + std::to_string(faults_[fault]) + ", ";
  }
  const auto least = std::ranges::min_element(goals_) - goals_.begin();
  return text + std::to_string(fault_count * goal_count) +
         " pairs; least often: " + goal_name(static_cast<std::size_t>(least)) + " (" +
         std::to_string(goals_[static_cast<std::size_t>(least)]) + ")";
}

}  // namespace almanac::test
