#include <almanac/tools/replay_steps.h>

#include <almanac/tools/event_json.h>
#include <almanac/tools/event_text.h>
#include <almanac/tools/state_changes.h>

#include <nlohmann/json.hpp>

#include <utility>

namespace almanac {
namespace {

// What changed, but for the position of the change, which is the event's own.
nlohmann::ordered_json changes_of(const State& before, const State& after) {
  auto changes = state_changes(before, after);
  if (changes.contains("tasks")) {
    for (auto& [id, fields] : changes["tasks"].items()) fields.erase("changed");
  }
  return changes;
}

}  // namespace

// A step back folds no more events than `every`: nobody waits for that.
ReplaySteps::ReplaySteps(const Log& log, const std::filesystem::path& folder, Format format)
    : log_(log), past_(log, folder, {.every = 1'000}), format_(format) {}

Result<ReplayStep> ReplaySteps::at(Position position) {
  if (state_.position.next() != position) {
    auto before = past_.at(Position(position.value - 1));
    if (!before) return std::unexpected(before.error());
    state_ = std::move(*before);
  }
  const State before = state_;
  ReplayStep step;
  auto read = log_.read_one(position, [&](const Event& event) {
    const RecordedEvent recorded{position, event};
    step.at = event.at;
    step.event = format_ == Format::json ? event_json(recorded) : event_line(recorded);
    fold_into(state_, recorded);
  });
  if (!read) return std::unexpected(read.error());
  auto changes = changes_of(before, state_);
  step.changes = format_ == Format::json ? changes_json(std::move(changes)) : changes_text(changes);
  return step;
}

}  // namespace almanac
