#include <almanac/tools/archive_watch.h>
#include <almanac/tools/branch_report.h>
#include <almanac/tools/context_commands.h>
#include <almanac/tools/moment.h>
#include <almanac/tools/query_error.h>
#include <almanac/tools/restore_preview.h>
#include <almanac/tools/snapshot_commands.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/log/log.h>
#include <almanac/snapshots/restore_before.h>
#include <almanac/snapshots/restore_key.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {
namespace {

Result<RestorePoint> point_before(const SnapshotRestoreCommand& command,
                                  const Repository& repository, RestorePoint point,
                                  const RestoreOptions& options) {
  auto query = parse_query(command.before, QuerySubject::state);
  if (!query) return std::unexpected(query.error());
  auto before = find_before(repository, point, *query, options);
  if (!before) return std::unexpected(before.error());
  point.moment = *before;
  return point;
}

// None where what is asked for is no key.
std::optional<std::string_view> key_in(std::string_view at) {
  constexpr std::string_view key = "key:";
  if (!at.starts_with(key)) return std::nullopt;
  return at.substr(key.size());
}

Result<RestorePoint> point_of_key(std::string_view key, const Repository& repository,
                                  RestorePoint point, const RestoreOptions& options) {
  if (key.empty()) {
    return fail(ErrorCode::invalid, "there is no key behind --at key:",
                "write the idempotency key of the event that is meant, as in --at key:order-42");
  }
  auto position = find_key(repository, point, key, options);
  if (!position) return std::unexpected(position.error());
  point.moment = *position;
  return point;
}

Result<RestorePoint> point_of(const SnapshotRestoreCommand& command, const Repository& repository,
                              const RestoreOptions& options) {
  RestorePoint point;
  if (command.number > 0) point.snapshot = command.number;
  if (!command.before.empty()) return point_before(command, repository, point, options);
  if (command.at.empty()) return point;
  if (auto key = key_in(command.at)) return point_of_key(*key, repository, point, options);
  if (auto position = parse_position(command.at)) {
    point.moment = *position;
    return point;
  }
  const auto time = parse_moment(command.at, options.now);
  if (time) {
    point.moment = *time;
    return point;
  }
  if (!is_tag(command.at)) return std::unexpected(time.error());
  const auto tagged = find_tagged(repository, command.at);
  if (tagged && point.snapshot.value_or(tagged->number) == tagged->number) {
    point.snapshot = tagged->number;
    return point;
  }
  return fail(ErrorCode::not_found,
              fmt::format("'{}' is neither a time nor the tag of {}", printable(command.at),
                          point.snapshot ? "that snapshot" : "a snapshot"),
              "`almanac snapshot list` shows what there is");
}

void print(const RestorePlan& plan) {
  fmt::print("snapshot  {}{}, made at {}\n", plan.manifest.number,
             plan.manifest.has_tail() ? " and its tail" : "", format_time(plan.manifest.made_at));
  fmt::print("positions {} to {}\n", plan.manifest.first().value, plan.at.value);
  fmt::print("reads     {}, {}, {} in the log\n", counted(plan.files, "file"),
             format_bytes(plan.bytes), format_bytes(plan.frame_bytes));
  if (plan.compared) {
    fmt::print("compares  the state at position {} with that of snapshot {}\n",
               plan.compared->position.value, plan.compared->snapshot);
  }
}

nlohmann::ordered_json json_of(const RestorePlan& plan) {
  nlohmann::ordered_json json{{"snapshot", plan.manifest.number},
                              {"with_tail", plan.manifest.has_tail()},
                              {"first", plan.manifest.first().value},
                              {"at", plan.at.value},
                              {"files", plan.files},
                              {"bytes", plan.bytes},
                              {"frame_bytes", plan.frame_bytes}};
  if (plan.compared) {
    json["compared"] = {{"snapshot", plan.compared->snapshot},
                        {"position", plan.compared->position.value}};
  }
  return json;
}

// None: "ask".
Result<std::optional<ReviewDecision>> parse_review(std::string_view text) {
  if (text == "ask") return std::nullopt;
  if (auto decision = review_decision_from(text)) return decision;
  return fail(ErrorCode::invalid,
              "--review is ask, run, skip or accept, not '" + printable(text) + "'",
              "leave it out, and decide later by `almanac review`");
}

void warn_unread(const std::optional<Error>& unread) {
  if (!unread) return;
  fmt::print(stderr,
             "almanac: what happened behind that moment cannot be read to its end, so every task\n"
             "  that had not ended is reviewed: {}\n",
             describe(*unread));
}

ExitCode preview(const Repository& repository, const RestorePlan& plan,
                 const RestoreOptions& options, bool as_json) {
  auto preview = preview_restore(repository, plan, options);
  if (!preview) return report(preview.error());
  warn_unread(preview->unread);
  if (as_json) {
    auto json = json_of(plan);
    json.update(json_of(plan, *preview));
    if (preview->unread) json["unread"] = describe(*preview->unread);
    fmt::print("{}\n", printable_json(json.dump(-1, ' ', false,
                                                nlohmann::ordered_json::error_handler_t::replace)));
  } else {
    print(plan);
    print(plan, *preview);
  }
  return ExitCode::ok;
}

void print(const RestoreReport& made, std::optional<ReviewDecision> decision) {
  print(made.branch);
  if (!made.replaced.empty()) {
    fmt::print("replaced  the log that was there is {} now\n", printable(made.replaced.string()));
  }
  if (made.held.empty()) return;
  fmt::print("review    {} that ran then or went on since{}\n", counted(made.held.size(), "task"),
             decision ? ": " + std::string(name(*decision)) : "; see `almanac review list`");
}

nlohmann::ordered_json json_of(const RestorePlan& plan, const RestoreReport& made) {
  auto json = json_of(plan);
  json["state"] = to_hex(digest(made.state));
  json.update(json_of(made.branch));
  if (!made.replaced.empty()) json["replaced"] = made.replaced.string();
  json["reviewed"] = made.held.size();
  if (made.unread) json["unread"] = describe(*made.unread);
  return json;
}

}  // namespace

ExitCode snapshot_restore(const SnapshotRestoreCommand& command) {
  ArchiveWatch watch;
  auto decision = parse_review(command.review);
  if (!decision) return report(decision.error());
  auto repository = open_repository(command.repository, Access::read);
  if (!repository) return report(repository.error());
  const RestoreOptions options{.decision = *decision,
                               .now = system_now(),
                               .progress = restore_progress(watch),
                               .stop = watch.stop(),
                               .replace = command.replace};
  // Before what may take long.
  auto free = check_restore_target(*repository, command.to, options);
  if (!free) return report(free.error());
  auto point = point_of(command, *repository, options);
  watch.clear();
  if (!point) return report(point.error());
  auto plan = plan_restore(*repository, *point);
  if (!plan) return report(plan.error());
  if (command.dry_run) return preview(*repository, *plan, options, command.json);
  auto made = restore(*repository, *plan, command.to, options);
  watch.clear();
  if (!made) return report(made.error());
  warn_unread(made->unread);
  if (command.json) {
    fmt::print("{}\n", json_of(*plan, *made).dump());
  } else {
    print(*plan);
    print(*made, *decision);
  }
  if (command.user_keys.empty()) return ExitCode::ok;
  const auto brought = bring_user_keys(command.user_keys, command.to, made->state);
  if (!brought) return report(brought.error());
  if (!command.json) fmt::print("keys      {}\n", *brought);
  return ExitCode::ok;
}

}  // namespace almanac
