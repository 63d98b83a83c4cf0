#include <almanac/tools/task_stats.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
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

  // Names are looked up once for each group, and terms for those that have some: there may be
  // millions of tasks.
  void count_tasks() {
    const Tasks& tasks = options_.state.tasks;
    std::map<std::optional<NameId>, std::array<std::uint64_t, task_state_count>> counted;
    for (const auto& [id, task] : tasks.all) {
      ++counted[group_of(id, task)][static_cast<std::size_t>(task.state)];
    }
    for (const auto& [group, counts] : counted) {
      TaskStats& stats = gathered_.groups[text_of(group)];
      for (std::size_t i = 0; i < counts.size(); ++i) {
        stats.counts[i] += counts[i];
        gathered_.total.counts[i] += counts[i];
      }
    }
    for (const auto& [id, terms] : tasks.terms) {
      const Task* task = tasks.all.find(id);
      const bool late = task != nullptr && terms.deadline != Time() && !has_ended(task->state) &&
                        terms.deadline < options_.state.time;
      if (late) in_both(id, [](TaskStats& stats) { ++stats.overdue; });
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
  std::optional<NameId> group_of(TaskId id, const Task& task) const {
    switch (options_.by) {
      case StatsBy::queue: return task.queue;
      case StatsBy::kind: return task.kind;
      case StatsBy::owner: return terms_of(options_.state.tasks, id).owner;
    }
    return task.queue;
  }
  std::string text_of(std::optional<NameId> group) const {
    return group ? std::string(options_.state.names.text(*group)) : std::string();
  }
  template <class Change>
  void in_both(TaskId id, Change change) {
    change(gathered_.total);
    const Task* task = options_.state.tasks.all.find(id);
    if (task != nullptr) change(gathered_.groups[text_of(group_of(id, *task))]);
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
