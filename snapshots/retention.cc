#include <almanac/snapshots/retention.h>

#include <algorithm>
#include <map>

namespace almanac {
namespace {

constexpr std::size_t always_kept = 2;

// What checkpoints take together, files that several rest on once.
class TakenBytes {
 public:
  void add(const CheckpointFile& file) {
    bytes_ += file.bytes;
    for (const BlocksFile& blocks : file.rests_on) {
      if (resting_[blocks.position]++ == 0) bytes_ += blocks.bytes;
    }
  }
  void remove(const CheckpointFile& file) {
    bytes_ -= file.bytes;
    for (const BlocksFile& blocks : file.rests_on) {
      if (--resting_[blocks.position] == 0) bytes_ -= blocks.bytes;
    }
  }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::map<Position, std::size_t> resting_;  // how many rest on a file of blocks
  std::uint64_t bytes_ = 0;
};

// How far its neighbours would be apart without it, beside how far back it lies.
double gap_without(const std::vector<CheckpointFile>& files, std::size_t i, Position begin) {
  const auto newer = files[i - 1].position.value;
  const auto older = i + 1 < files.size() ? files[i + 1].position.value : begin.value;
  const auto age = files.front().position.value - files[i].position.value;
  return static_cast<double>(newer - older) / static_cast<double>(age);
}

std::size_t least_missed(const std::vector<CheckpointFile>& files, Position begin) {
  std::size_t least = always_kept;
  for (std::size_t i = always_kept + 1; i < files.size(); ++i) {
    if (gap_without(files, i, begin) < gap_without(files, least, begin)) least = i;
  }
  return least;
}

template <class Visit>
void visit_needed(const State& state, Visit visit) {
  const auto& tasks = state.tasks.all;
  for (const auto& [id, task] : tasks) {
    if (may_run(task.state)) visit(NeededEvent{task.enqueued, id, id});
    if (task.state == TaskState::failed) visit(NeededEvent{task.changed, id, id});
  }
  for (const DependencyKey& key : state.tasks.needed_by) {
    const Task* dependent = tasks.find(key.dependent);
    const Task* dependency = tasks.find(key.dependency);
    if (dependent == nullptr || !may_run(dependent->state)) continue;
    if (dependency != nullptr && has_ended(dependency->state)) {
      visit(NeededEvent{dependency->changed, key.dependent, key.dependency});
    }
  }
}

}  // namespace

std::vector<Position> too_many(std::vector<CheckpointFile> files, const CheckpointBudget& budget) {
  TakenBytes taken;
  for (const CheckpointFile& file : files) taken.add(file);
  std::vector<Position> gone;
  while (files.size() > always_kept &&
         (files.size() > budget.count_max || taken.bytes() > budget.bytes_max)) {
    const auto least =
        files.begin() + static_cast<std::ptrdiff_t>(least_missed(files, budget.begin));
    taken.remove(*least);
    gone.push_back(least->position);
    files.erase(least);
  }
  return gone;
}

NeededEvent first_needed(const State& state) {
  NeededEvent first;
  visit_needed(state, [&](const NeededEvent& needed) {
    if (!first.position || needed.position < first.position) first = needed;
  });
  return first;
}

std::vector<NeededEvent> needed_through(const State& state, Position last) {
  std::vector<NeededEvent> all;
  visit_needed(state, [&](const NeededEvent& needed) {
    const Task& task = *state.tasks.all.find(needed.of);
    const bool goes_along = task.state == TaskState::failed && task.enqueued <= last;
    if (needed.position <= last || goes_along) all.push_back(needed);
  });
  std::ranges::sort(all, {}, &NeededEvent::position);
  const auto repeated = std::ranges::unique(all, {}, &NeededEvent::position);
  all.erase(repeated.begin(), repeated.end());
  return all;
}

}  // namespace almanac
