#include <almanac/snapshots/restore.h>

#include <almanac/snapshots/archive_checkpoint.h>
#include <almanac/snapshots/archive_verify.h>
#include <almanac/snapshots/user_keys.h>

#include <fcntl.h>
#include <stdio.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <iterator>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

namespace almanac {
namespace {

namespace fs = std::filesystem;

std::string number_text(Position position) { return std::to_string(position.value); }

Position base_of(const Manifest& manifest) { return Position(manifest.first().value - 1); }

bool holds(const Manifest& manifest, Position position) {
  return position >= base_of(manifest) && position <= manifest.tail.last;
}
// What had happened when it was made is in it.
bool holds(const Manifest& manifest, Time time) {
  return time >= manifest.segments.front().header.first_time &&
         time <= std::max(manifest.made_at, manifest.tail.time);
}
bool holds(const Manifest& /*manifest*/, std::monostate /*its end*/) { return true; }

std::unexpected<Error> held_by_none(const Manifest& manifest, const RestorePoint& point) {
  const std::string number = "snapshot " + std::to_string(manifest.number);
  const auto* time = std::get_if<Time>(&point.moment);
  if (time == nullptr) {
    return fail(ErrorCode::not_found,
                "position " + number_text(std::get<Position>(point.moment)) +
                    " is not archived: " + number + " holds " + number_text(manifest.first()) +
                    " to " + number_text(manifest.tail.last),
                "`almanac snapshot list` shows what there is");
  }
  const bool is_late = *time > manifest.tail.time;
  return fail(ErrorCode::not_found,
              is_late ? "that time is behind " + number + ": what happened since is not archived"
                      : "that time is in front of the first event of " + number,
              is_late ? "leave the time out to restore where it ends"
                      : "`almanac snapshot list` shows what there is");
}

bool holds(const Manifest& manifest, const RestorePoint& point) {
  return std::visit([&](auto moment) { return holds(manifest, moment); }, point.moment);
}

// The newest manifest, or the one named, must be readable: it says which log is meant, and how far
// that is archived. Older ones that are not are left out.
Result<Manifest> find_manifest(const Repository& repository, const RestorePoint& point) {
  const auto numbers = repository.numbers();
  if (numbers.empty()) {
    return fail(ErrorCode::not_found, "there are no snapshots yet",
                "`almanac snapshot create` makes one");
  }
  auto asked = repository.manifest(point.snapshot.value_or(numbers.front()));
  if (!asked) return asked;
  if (point.snapshot) return holds(*asked, point) ? asked : held_by_none(*asked, point);
  auto newest = find_newest(repository, asked->timeline);
  if (!newest) return std::unexpected(newest.error());
  auto tail_damaged = [&] {
    Error error = *newest->tail_damaged;
    error.next_step = "restore an earlier moment, or name a snapshot to restore to where it ends";
    return std::unexpected(std::move(error));
  };
  const bool is_to_the_end = std::holds_alternative<std::monostate>(point.moment);
  if (newest->tail_damaged && is_to_the_end) return tail_damaged();
  Manifest joined = newest->joined();
  if (holds(joined, point)) return joined;
  for (std::uint64_t number : numbers | std::views::drop(1)) {
    auto manifest = repository.manifest(number);
    if (manifest && manifest->timeline == asked->timeline && holds(*manifest, point)) {
      return manifest;
    }
  }
  if (newest->tail_damaged) return tail_damaged();
  return held_by_none(joined, point);
}

Result<Position> position_of(const ArchivedLog& log, const RestorePoint& point) {
  if (const auto* position = std::get_if<Position>(&point.moment)) return *position;
  const auto* time = std::get_if<Time>(&point.moment);
  if (time == nullptr) return log.manifest().tail.last;
  auto behind = log.position_at(*time + Duration(1));
  if (!behind) return std::unexpected(behind.error());
  return Position(behind->value - 1);
}

// Where another snapshot of the same timeline ends.
struct End {
  ArchivedState state;
  Digest chain{};
};

// Those that could lie on the way through this one, the first one first.
std::vector<End> ends_within(const Repository& repository, const Manifest& manifest) {
  std::vector<End> ends;
  for (std::uint64_t number : repository.numbers() | std::views::reverse) {
    if (number > manifest.number) break;
    const auto other = repository.manifest(number);
    if (!other || other->timeline != manifest.timeline || !holds(manifest, other->tail.last)) {
      continue;
    }
    ends.push_back({{number, other->tail.last, other->state}, other->tail.digest});
  }
  std::ranges::stable_sort(ends, {}, [](const End& end) { return end.state.position; });
  return ends;
}

// Whether both have the same past up to there. Reads a segment, where none ends there.
bool leads_to(const ArchivedLog& log, const End& end) {
  const Position position = end.state.position;
  if (position == log.base().last) return end.chain == log.base().digest;
  for (const SegmentRecord& record : log.manifest().segments) {
    if (record.header.last == position) return record.header.digest == end.chain;
  }
  bool leads = false;
  auto read = log.read_frames(position, [&](const FrameReader& frame) -> Result<bool> {
    leads = frame.header().last() == position && frame.digest() == end.chain;
    return false;
  });
  return read && leads;
}

// What was archived last of what goes on from the plan's snapshot. A manifest that cannot be read
// may go on further.
void find_newest(const Repository& repository, RestorePlan& plan) {
  const Manifest& from = plan.manifest;
  const End end{{from.number, from.tail.last, from.state}, from.tail.digest};
  auto goes_on = [&](const Manifest& other) {
    return other.timeline == from.timeline && holds(other, from.tail.last) &&
           leads_to(ArchivedLog(repository, other), end);
  };
  plan.newest = from;
  auto newest = find_newest(repository, from.timeline);
  if (newest) plan.newest_unread = newest->tail_damaged;
  if (newest && goes_on(newest->joined())) plan.newest = newest->joined();
  for (std::uint64_t number : repository.numbers()) {
    if (number <= plan.newest.number) break;
    auto other = repository.manifest(number);
    if (!other) {
      plan.newest_unread = other.error();
    } else if (goes_on(*other)) {
      plan.newest = std::move(*other);
    }
  }
}

// The first of these that the log leads to.
std::optional<ArchivedState> find_state(const ArchivedLog& log, auto&& ends) {
  for (const End& end : ends) {
    if (leads_to(log, end)) return end.state;
  }
  return std::nullopt;
}

auto is_up_to(Position through) {
  return [=](const End& end) { return end.state.position <= through; };
}

// The last one up to there.
std::optional<ArchivedState> last_state(const Repository& repository, const ArchivedLog& log,
                                        Position through) {
  const auto ends = ends_within(repository, log.manifest());
  return find_state(log, ends | std::views::reverse | std::views::filter(is_up_to(through)));
}

void find_states(const Repository& repository, const ArchivedLog& log, RestorePlan& plan) {
  const auto ends = ends_within(repository, plan.manifest);
  auto is_in_front = [&](const End& end) { return end.state.position < plan.at; };
  plan.next = find_state(log, ends | std::views::drop_while(is_in_front));
  plan.compared = last_state(repository, log, plan.at);
  if (log.base().last) {
    plan.first = find_state(log, ends | std::views::take_while(is_up_to(plan.at)));
  }
}

void count_files(RestorePlan& plan) {
  for (const SegmentRecord& record : plan.manifest.segments) {
    if (record.header.first > plan.at) return;
    plan.files += 1;
    plan.bytes += record.file.bytes;
    plan.frame_bytes += record.header.frame_bytes;
  }
}

// ---- Making it.

std::unexpected<Error> stopped() {
  return fail(ErrorCode::stopped, "the restore was stopped before the log was whole",
              "nothing is left of it");
}

Result<void> check_target(const Repository& repository, const fs::path& folder) {
  std::error_code error;
  const fs::path named = folder.has_filename() ? folder : folder.parent_path();
  if (fs::is_symlink(fs::symlink_status(named, error))) {
    return fail(ErrorCode::refused, folder.string() + " is a link", "name a folder");
  }
  return repository.check_outside(named);
}

// The error with all that is damaged in the snapshot, if that is why.
std::unexpected<Error> with_all_damage(const Repository& repository, const RestorePlan& plan,
                                       const RestoreOptions& options, Error error) {
  auto verified =
      verify_archive(repository, {.number = plan.manifest.number, .stop = options.stop});
  if (!verified) return std::unexpected(std::move(error));
  auto all = std::move(verified->snapshots.front().damage);
  for (const CheckedTail& tail : verified->tails) {
    if (plan.manifest.has_tail()) std::ranges::copy(tail.damage, std::back_inserter(all));
  }
  if (all.empty()) return std::unexpected(std::move(error));
  if (error.code == ErrorCode::not_found) error.code = ErrorCode::corrupt;
  for (const Error& damage : all) {
    if (error.message.find(damage.message) == std::string::npos) {
      error.message += "; " + damage.message;
    }
  }
  return std::unexpected(std::move(error));
}

// Where folding begins: at the last state on the way that can be read, or where the log does.
State start_of(const Repository& repository, const ArchivedLog& log,
               std::optional<ArchivedState> last, const State& first) {
  while (last && last->position > first.position) {
    auto manifest = repository.manifest(last->snapshot);
    auto state = manifest ? read_state(repository, *manifest)
                          : Result<State>(std::unexpected(manifest.error()));
    if (state) return std::move(*state);
    last = last_state(repository, log, Position(last->position.value - 1));
  }
  return first;
}

State start_of(const Repository& repository, const ArchivedLog& log, const RestorePlan& plan,
               const RestoreOptions& options, const State& first) {
  auto last = plan.compared;
  if (last && options.proves_state) {
    last = last_state(repository, log, Position(last->position.value - 1));
  }
  return start_of(repository, log, last, first);
}

// Reads the new log behind the moment, to which its state is known: what was written there is what
// was meant, too.
Result<void> check_made(const fs::path& folder, State state, const Digest& expected,
                        const std::stop_token& stop) {
  auto log = Log::open(folder, {.access = Access::read});
  if (!log) return std::unexpected(log.error());
  auto read = (*log)->read(state.position, [&](const RecordedEvent& event) -> Result<bool> {
    if (stop.stop_requested()) return stopped();
    if (event.position > state.position) fold_into(state, event);
    return true;
  });
  if (!read) return read;
  if (digest(state) == expected) return {};
  return fail(ErrorCode::corrupt, "the new log does not give the state that it was made for",
              "restore it again; should it happen again, the disk or the memory is at fault");
}

Result<void> copy_events(const ArchivedLog& log, const RestorePlan& plan, LogBranch& branch,
                         const RestoreOptions& options, RestoreReport& report) {
  if (branch.last() == plan.at) return {};
  return log.read_frames(branch.last().next(), [&](const FrameReader& frame) -> Result<bool> {
    if (options.stop.stop_requested()) return stopped();
    auto more = branch.add(frame);
    if (!more) return more;
    report.frame_bytes += frame.size_bytes();
    if (options.progress) {
      options.progress({.first = plan.manifest.first(),
                        .through = branch.last(),
                        .last = plan.at,
                        .frame_bytes = report.frame_bytes});
    }
    return more;
  });
}

Result<void> check_state(const ArchivedState& archived, const State& state) {
  if (digest(state) == archived.digest) return {};
  return fail(ErrorCode::corrupt,
              "the events up to position " + number_text(state.position) +
                  " do not lead to the state that snapshot " + std::to_string(archived.snapshot) +
                  " was made with",
              "`almanac snapshot verify` tells which snapshots are whole");
}

Result<LogBranch> begin(const Repository& repository, const ArchivedLog& log,
                        const RestorePlan& plan, const fs::path& folder,
                        const RestoreOptions& options, RestoreReport& report) {
  auto first = first_state(repository, plan);
  if (!first) return std::unexpected(first.error());
  ReadBack::Options fold{.start = start_of(repository, log, plan, options, *first),
                         .stop = options.stop};
  report.folded_from = fold.start.position;
  if (plan.compared) {
    fold.checked = plan.compared->position;
    fold.check = std::bind_front(check_state, *plan.compared);
  }
  return LogBranch::begin(
      folder,
      {.origin = {.timeline = plan.manifest.timeline, .position = plan.at, .forked = options.now},
       .base = log.base(),
       .first = plan.first ? std::optional(std::move(*first)) : std::nullopt,
       .fold = std::move(fold)});
}

// What the archive knows of the time behind the moment.
struct Later {
  Aftermath aftermath;
  std::optional<Error> unread;
};

// Damage there does not keep the past from being restored: it leaves more to be reviewed. `newest`,
// if it is given, is folded on from the moment.
Result<Later> find_later(const Repository& repository, const RestorePlan& plan, const State& moment,
                         const std::stop_token& stop, State* newest = nullptr) {
  Later later{Aftermath(moment), plan.newest_unread};
  if (later.unread) later.aftermath.lose_sight();
  if (moment.position == plan.newest.tail.last) return later;
  auto read = ArchivedLog(repository, plan.newest)
                  .read(moment.position.next(), [&](const RecordedEvent& event) -> Result<bool> {
                    if (stop.stop_requested()) return stopped();
                    later.aftermath.see(event);
                    if (newest != nullptr) fold_into(*newest, event);
                    return newest != nullptr || !later.aftermath.is_complete();
                  });
  if (read) return later;
  if (read.error().code == ErrorCode::stopped) return std::unexpected(read.error());
  later.aftermath.lose_sight();
  later.unread = read.error();
  return later;
}

// ---- In the place of another log.

// A name beside it that nothing has yet.
fs::path name_beside(const fs::path& folder, const std::string& end) {
  std::error_code none;
  fs::path beside = folder;
  beside += end;
  for (int i = 2; fs::exists(fs::symlink_status(beside, none)); ++i) {
    beside = folder;
    beside += end + "-" + std::to_string(i);
  }
  return beside;
}

// Gives the names of both to the other, at once.
Result<void> exchange(const fs::path& one, const fs::path& other) {
  if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) != 0) {
    return fail_errno(errno, "exchange " + one.string() + " and " + other.string(),
                      "restore into another folder, and rename both by hand");
  }
  return sync_folder(one.parent_path());
}

Result<RestoreReport> restore_in_place(const Repository& repository, const RestorePlan& plan,
                                       const fs::path& folder, RestoreOptions options) {
  if (auto is_log = Log::open(folder, {.access = Access::read}); !is_log) {
    return std::unexpected(is_log.error());
  }
  auto lock = WriteLock::take(folder);
  if (!lock) return std::unexpected(lock.error());
  const fs::path beside = name_beside(folder, ".restored");
  options.replace = false;
  auto report = restore(repository, plan, beside, options);
  if (!report) return report;
  if (auto shared = share_user_keys(folder, beside); !shared) {
    return std::unexpected(shared.error());
  }
  if (auto exchanged = exchange(beside, folder); !exchanged) {
    return std::unexpected(exchanged.error());
  }
  report->replaced = name_beside(folder, ".replaced");
  auto moved = rename_synced(beside, report->replaced);
  if (!moved) return std::unexpected(moved.error());
  return report;
}

bool is_there(const fs::path& folder) {
  std::error_code none;
  return fs::exists(folder, none) && !fs::is_empty(folder, none);
}

}  // namespace

Result<State> first_state(const Repository& repository, const RestorePlan& plan) {
  if (!plan.first) return State();
  auto manifest = repository.manifest(plan.first->snapshot);
  if (!manifest) return std::unexpected(manifest.error());
  return read_state(repository, *manifest);
}

Result<RestorePlan> plan_restore(const Repository& repository, const RestorePoint& point) {
  auto manifest = find_manifest(repository, point);
  if (!manifest) return std::unexpected(manifest.error());
  const ArchivedLog log(repository, std::move(*manifest));
  auto at = position_of(log, point);
  if (!at) return std::unexpected(at.error());
  RestorePlan plan{.manifest = log.manifest(), .at = *at};
  find_newest(repository, plan);
  find_states(repository, log, plan);
  count_files(plan);
  if (!log.base().last || plan.first) return plan;
  return fail(ErrorCode::refused,
              "the log's front is not archived, and there is no state up to position " +
                  number_text(plan.at) + " to begin at",
              "restore a later moment; `almanac snapshot list` shows where snapshots end");
}

Result<RestoreReport> restore(const Repository& repository, const RestorePlan& plan,
                              const fs::path& folder, const RestoreOptions& options) {
  if (auto free = check_target(repository, folder); !free) return std::unexpected(free.error());
  if (options.replace && is_there(folder)) {
    const fs::path named = folder.has_filename() ? folder : folder.parent_path();
    return restore_in_place(repository, plan, fs::absolute(named), options);
  }
  const ArchivedLog log(repository, plan.manifest);
  RestoreReport report;
  auto branch = begin(repository, log, plan, folder, options, report);
  if (!branch) return std::unexpected(branch.error());
  auto copied = copy_events(log, plan, *branch, options, report);
  if (copied) copied = branch->read_back();
  if (!copied && options.stop.stop_requested()) return stopped();
  if (!copied) return with_all_damage(repository, plan, options, copied.error());
  report.state = branch->state();
  auto later = find_later(repository, plan, report.state, options.stop);
  if (!later) return std::unexpected(later.error());
  report.held = later->aftermath.held();
  report.unread = std::move(later->unread);
  auto made = branch->finish(review_events(report.state, report.held, options.decision,
                                           std::max(options.now, report.state.time)),
                             [&](const fs::path& there) {
                               return check_made(there, report.state, digest(branch->state()),
                                                 options.stop);
                             });
  if (!made) return std::unexpected(made.error());
  report.branch = *made;
  return report;
}

Result<void> check_restore_target(const Repository& repository, const fs::path& folder,
                                  const RestoreOptions& options) {
  auto free = check_target(repository, folder);
  if (!free || (options.replace && is_there(folder))) return free;
  return LogImport::check_target(folder);
}

Result<RestorePreview> preview_restore(const Repository& repository, const RestorePlan& plan,
                                       const RestoreOptions& options) {
  const ArchivedLog log(repository, plan.manifest);
  auto first = first_state(repository, plan);
  if (!first) return std::unexpected(first.error());
  State state = start_of(repository, log, plan, options, *first);
  if (state.position < plan.at) {
    auto read = log.read(state.position.next(), [&](const RecordedEvent& event) -> Result<bool> {
      if (options.stop.stop_requested()) return stopped();
      fold_into(state, event);
      return state.position < plan.at;
    });
    if (!read) return std::unexpected(read.error());
  }
  RestorePreview preview{.restored = state, .newest = state};
  auto later = find_later(repository, plan, state, options.stop, &preview.newest);
  if (!later) return std::unexpected(later.error());
  preview.held = later->aftermath.held();
  preview.unread = std::move(later->unread);
  for (const Event& event :
       review_events(state, preview.held, options.decision, std::max(options.now, state.time))) {
    fold_into(preview.restored, {preview.restored.position.next(), event});
  }
  return preview;
}

}  // namespace almanac
