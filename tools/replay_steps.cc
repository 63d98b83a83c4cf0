#include <almanac/tools/replay_steps.h>

#include <almanac/tools/event_json.h>
#include <almanac/tools/event_text.h>
#include <almanac/tools/state_changes.h>

#include <almanac/snapshots/state_at.h>

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

ReplaySteps::ReplaySteps(const Log& log, std::filesystem::path folder, Format format)
    : log_(log), folder_(std::move(folder)), format_(format) {}

Result<ReplayStep> ReplaySteps::at(Position position) {
  if (state_.position.next() != position) {
    auto before = state_at(log_, folder_, Position(position.value - 1));
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
