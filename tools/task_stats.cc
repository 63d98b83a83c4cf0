#include <almanac/tools/task_stats.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace almanac {
namespace {

class Gatherer {
 public:
  explicit Gatherer(const StatsOptions& options) : options_(options) {}

  void see(const RecordedEvent& recorded) {
    at_ = recorded.event.at;
    std::visit([&](const auto& event) { happen(event); }, recorded.event.body);
  }

  void count_tasks() {
    const State& state = options_.state;
    for (const auto& [id, task] : state.tasks.all) {
      const Time deadline = terms_of(state.tasks, id).deadline;
      const bool late = deadline != Time() && !has_ended(task.state) && deadline < state.time;
      in_both(id, [&](TaskStats& stats) {
        ++stats.counts[static_cast<std::size_t>(task.state)];
        stats.overdue += late ? 1 : 0;
      });
    }
  }

  GatheredStats finish() {
    gathered_.from = options_.from_time;
    gathered_.to = options_.state.time;
    const auto sort = [](TaskStats& stats) {
      std::ranges::sort(stats.waits);
      std::ranges::sort(stats.runs);
    };
    sort(gathered_.total);
    for (auto& [name, stats] : gathered_.groups) sort(stats);
    return std::move(gathered_);
  }

 private:
  template <class Change>
  void in_both(TaskId id, Change change) {
    change(gathered_.total);
    const State& state = options_.state;
    const Task* task = state.tasks.all.find(id);
    if (task == nullptr) return;
    std::optional<NameId> name = options_.by == StatsBy::queue ? task->queue : task->kind;
    if (options_.by == StatsBy::owner) name = terms_of(state.tasks, id).owner;
    change(gathered_.groups[name ? std::string(state.names.text(*name)) : std::string()]);
  }

  void happen(const TaskEnqueued& event) {
    could_run_[event.id] = std::max(at_, event.run_at);
    in_both(event.id, [](TaskStats& stats) { ++stats.submitted; });
  }
  void happen(const TaskStarted& event) {
    started_[event.id] = at_;
    std::optional<Duration> wait;
    if (event.attempt == 1) wait = at_ - could_run_at(event.id);
    in_both(event.id, [&](TaskStats& stats) {
      ++stats.started;
      if (wait) stats.waits.push_back(*wait);
    });
  }
  // A task that was submitted before the beginning: all that is known of it is when.
  Time could_run_at(TaskId id) const {
    const auto found = could_run_.find(id);
    if (found != could_run_.end()) return found->second;
    const Task* task = options_.state.tasks.all.find(id);
    return task == nullptr ? at_ : task->enqueued_at;
  }

  template <class Count>
  void end(TaskId id, bool is_last, Count count) {
    const auto started = started_.find(id);
    std::optional<Duration> run;
    if (started != started_.end()) {
      run = at_ - started->second;
      started_.erase(started);
    }
    const Time deadline = terms_of(options_.state.tasks, id).deadline;
    const bool late = is_last && deadline != Time() && deadline < at_;
    in_both(id, [&](TaskStats& stats) {
      count(stats);
      stats.ended_late += late ? 1 : 0;
      if (run) stats.runs.push_back(*run);
    });
  }
  void happen(const TaskSucceeded& event) {
    end(event.id, true, [](TaskStats& stats) { ++stats.succeeded; });
  }
  void happen(const TaskAttemptFailed& event) {
    end(event.id, false, [](TaskStats& stats) { ++stats.attempts_failed; });
  }
  void happen(const TaskFailed& event) {
    end(event.id, true, [](TaskStats& stats) {
      ++stats.failed;
      ++stats.attempts_failed;
    });
  }
  void happen(const TaskCancelled& event) {
    started_.erase(event.id);
    end(event.id, true, [](TaskStats& stats) { ++stats.cancelled; });
  }
  void happen(const TaskHandedBack& event) { started_.erase(event.id); }
  template <class Other>
  void happen(const Other&) {}

  const StatsOptions& options_;
  GatheredStats gathered_;
  Time at_;
  std::unordered_map<TaskId, Time> could_run_;  // of tasks submitted since the beginning
  std::unordered_map<TaskId, Time> started_;    // of attempts that have not ended
};

}  // namespace

std::uint64_t TaskStats::live() const {
  std::uint64_t live = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (!has_ended(static_cast<TaskState>(i))) live += counts[i];
  }
  return live;
}

double TaskStats::completion() const {
  const auto ended = succeeded + failed + cancelled;
  return ended == 0 ? 1 : static_cast<double>(succeeded) / static_cast<double>(ended);
}

Duration quantile(const std::vector<Duration>& rising, double share) {
  if (rising.empty()) return Duration(0);
  const double rank = std::ceil(share * static_cast<double>(rising.size()));
  return rising[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

Result<GatheredStats> gather_stats(const StatsOptions& options) {
  Gatherer gatherer(options);
  const Position last = options.state.position;
  if (options.from < last) {
    auto read =
        options.log.read(options.from.next(), [&](const RecordedEvent& event) -> Result<bool> {
          gatherer.see(event);
          return event.position < last;
        });
    if (!read) return std::unexpected(read.error());
  }
  gatherer.count_tasks();
  return gatherer.finish();
}

}  // namespace almanac
