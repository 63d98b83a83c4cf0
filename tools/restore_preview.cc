#include <almanac/tools/restore_preview.h>

#include <almanac/tools/limits.h>
#include <almanac/tools/state_changes.h>
#include <almanac/tools/terms_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/projections/persistent/diff.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace almanac {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t tasks_named_max = 10;

// Tasks whose life differs, by number.
struct Lives {
  std::vector<TaskId> vanish;     // were enqueued since
  std::vector<TaskId> come_back;  // have ended since
};

Lives compare(const State& newest, const State& restored) {
  Lives lives;
  diff(newest.tasks.all, restored.tasks.all, [&](TaskId id, const Task* was, const Task* is) {
    if (is == nullptr) {
      lives.vanish.push_back(id);
    } else if (was != nullptr && has_ended(was->state) && !has_ended(is->state)) {
      lives.come_back.push_back(id);
    }
  });
  return lives;
}

std::vector<TaskId> ids_of(const std::vector<TaskHeld>& held) {
  std::vector<TaskId> ids;
  for (const TaskHeld& event : held) ids.push_back(event.id);
  return ids;
}

void print_tasks(std::string_view what, const std::vector<TaskId>& ids) {
  if (ids.empty()) return;
  std::string list;
  for (std::size_t i = 0; i < std::min(ids.size(), tasks_named_max); ++i) {
    list += (i == 0 ? "" : ", ") + std::to_string(ids[i].value);
  }
  if (ids.size() > tasks_named_max) list += ", …";
  fmt::print("{:<9} {}: {}\n", what, counted(ids.size(), "task"), list);
}

// A guess: restoring reads, writes and reads again, at a pace that depends on the disk.
Duration guessed_time(const RestorePlan& plan) {
  const auto seconds = double(plan.frame_bytes) / double(limits::restore_bytes_per_second);
  return std::max(Duration(std::chrono::seconds(1)), Duration(std::int64_t(seconds * 1e6)));
}

}  // namespace

void print(const RestorePlan& plan, const RestorePreview& preview) {
  const auto lives = compare(preview.newest, preview.restored);
  fmt::print("takes     about {}, as a guess from these bytes\n",
             format_compact(guessed_time(plan)));
  fmt::print("newest    position {}, to which this compares\n", preview.newest.position.value);
  print_tasks("vanish", lives.vanish);
  print_tasks("come back", lives.come_back);
  print_tasks("review", ids_of(preview.held));
  const auto by_projection = state_changes(preview.newest, preview.restored);
  std::string changes;
  for (const auto& [projection, entries] : by_projection.items()) {
    changes += fmt::format("{}{} {}", changes.empty() ? "" : ", ", projection, entries.size());
  }
  if (!changes.empty()) fmt::print("changes   {}\n", changes);
}

ordered_json json_of(const RestorePlan& plan, const RestorePreview& preview) {
  const auto lives = compare(preview.newest, preview.restored);
  auto held = ordered_json::array();
  for (const TaskHeld& event : preview.held) {
    ordered_json json{{"task", event.id.value}, {"outcome", name(event.outcome)}};
    if (event.started) json["started"] = event.started.value;
    if (event.ended) json["ended"] = event.ended.value;
    held.push_back(std::move(json));
  }
  return {{"seconds_guessed", double(guessed_time(plan).count()) / 1e6},
          {"newest", preview.newest.position.value},
          {"vanish", ids_json(lives.vanish)},
          {"come_back", ids_json(lives.come_back)},
          {"review", std::move(held)},
          {"changes", state_changes(preview.newest, preview.restored)}};
}

}  // namespace almanac
