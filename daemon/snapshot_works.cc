#include <almanac/daemon/snapshot_works.h>

#include <almanac/daemon/limits.h>
#include <almanac/tools/snapshot_json.h>
#include <almanac/tools/state_json.h>

#include <almanac/engine/engine.h>
#include <almanac/log/hash.h>
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/archive_verify.h>

#include <algorithm>
#include <span>
#include <utility>

namespace almanac {

using nlohmann::ordered_json;

namespace {

constexpr std::chrono::seconds other_writer_wait{30};

double part_of(std::uint64_t done, std::uint64_t all) {
  return all == 0 ? 1 : double(std::min(done, all)) / double(all);
}

std::uint64_t drawn_seed() {
  std::uint64_t seed = 0;
  fill_random(std::as_writable_bytes(std::span(&seed, 1)));
  return seed;
}

ordered_json error_json(const std::optional<Error>& error) {
  if (!error) return nullptr;
  return {{"code", name(error->code)}, {"detail", error->message}, {"next", error->next_step}};
}

}  // namespace

std::string_view name(SnapshotTask task) {
  return task == SnapshotTask::create ? "create" : "verify";
}

std::string_view name(SnapshotWorkState state) {
  switch (state) {
    case SnapshotWorkState::waiting: return "waiting";
    case SnapshotWorkState::running: return "running";
    case SnapshotWorkState::done: return "done";
    case SnapshotWorkState::failed: return "failed";
  }
  return "failed";
}

ordered_json snapshot_work_json(const SnapshotWork& work) {
  return {{"work", work.number},
          {"task", name(work.asked.task)},
          {"repository", work.asked.repository.string()},
          {"state", name(work.state)},
          {"share", work.share},
          {"asked_at", time_json(work.asked_at)},
          {"ended_at", time_json(work.ended_at)},
          {"result", work.result},
          {"error", error_json(work.error)}};
}

SnapshotWorks::SnapshotWorks(const Log& log, std::filesystem::path folder)
    : log_(log),
      folder_(std::move(folder)),
      thread_("snapshots", 1, limits::snapshot_works_waiting_max) {}

SnapshotWorks::~SnapshotWorks() { stop(); }

void SnapshotWorks::stop() { stop_.request_stop(); }

Result<SnapshotWork> SnapshotWorks::begin(SnapshotAsked asked, const std::string& key) {
  std::lock_guard guard(mutex_);
  for (const auto& [number, entry] : works_) {
    if (key.empty() || entry.key != key) continue;
    if (entry.work.asked == asked) return entry.work;
    return fail(ErrorCode::conflict, "this key was for something else",
                "send another Idempotency-Key, or what was asked for with this one");
  }
  if (stop_.stop_requested()) return fail(ErrorCode::stopped, "the daemon stops", "start it again");
  const std::uint64_t number = last_ + 1;
  if (!thread_.post([this, number] { run(number); })) {
    return fail(ErrorCode::busy, "too many snapshots are to be made or verified already",
                "ask again when one has ended; GET /v1/snapshots/work tells of them");
  }
  last_ = number;
  Entry& entry = works_[number];
  entry.key = key;
  entry.work = {.number = number, .asked = std::move(asked), .asked_at = system_time()};
  forget_old();
  return entry.work;
}

// Of those that have ended; what waits is few.
void SnapshotWorks::forget_old() {
  for (auto entry = works_.begin();
       works_.size() > limits::snapshot_works_kept && entry != works_.end();) {
    entry = entry->second.work.has_ended() ? works_.erase(entry) : std::next(entry);
  }
}

std::vector<SnapshotWork> SnapshotWorks::all() const {
  std::lock_guard guard(mutex_);
  std::vector<SnapshotWork> works;
  for (const auto& [number, entry] : works_) works.push_back(entry.work);
  std::ranges::reverse(works);
  return works;
}

std::optional<SnapshotWork> SnapshotWorks::find(std::uint64_t number) const {
  std::lock_guard guard(mutex_);
  const auto entry = works_.find(number);
  return entry == works_.end() ? std::nullopt : std::optional(entry->second.work);
}

bool SnapshotWorks::when_ended(std::uint64_t number,
                               std::function<void(const SnapshotWork&)> call) {
  std::unique_lock lock(mutex_);
  const auto entry = works_.find(number);
  if (entry == works_.end()) return false;
  if (!entry->second.work.has_ended()) {
    entry->second.waiting.push_back(std::move(call));
    return true;
  }
  const SnapshotWork work = entry->second.work;
  lock.unlock();
  call(work);
  return true;
}

void SnapshotWorks::progress(std::uint64_t number, double share) {
  std::lock_guard guard(mutex_);
  works_.at(number).work.share = share;
}

void SnapshotWorks::run(std::uint64_t number) {
  SnapshotAsked asked;
  {
    std::lock_guard guard(mutex_);
    SnapshotWork& work = works_.at(number).work;
    work.state = SnapshotWorkState::running;
    asked = work.asked;
  }
  auto result = perform(number, asked);
  std::vector<std::function<void(const SnapshotWork&)>> waiting;
  SnapshotWork ended;
  {
    std::lock_guard guard(mutex_);
    Entry& entry = works_.at(number);
    SnapshotWork& work = entry.work;
    work.state = result ? SnapshotWorkState::done : SnapshotWorkState::failed;
    if (result) work.share = 1;
    result ? void(work.result = std::move(*result)) : void(work.error = result.error());
    work.ended_at = std::max(system_time(), work.asked_at);
    waiting = std::exchange(entry.waiting, {});
    ended = work;
  }
  for (const auto& call : waiting) call(ended);
}

Result<ordered_json> SnapshotWorks::perform(std::uint64_t number, const SnapshotAsked& asked) {
  if (stop_.stop_requested()) return fail(ErrorCode::stopped, "the daemon stops", "start it again");
  const bool makes = asked.task == SnapshotTask::create;
  auto repository = Repository::open(asked.repository, makes ? Access::write : Access::read, {},
                                     other_writer_wait);
  if (!repository) return std::unexpected(repository.error());
  if (makes) {
    const auto told = [&](const SnapshotProgress& now) {
      progress(number, part_of(now.through.value - now.first.value + 1,
                               now.last.value - now.first.value + 1));
    };
    auto made = create_snapshot(log_, folder_, *repository,
                                {.made_at = system_time(),
                                 .tag = asked.tag,
                                 .full = asked.full,
                                 .progress = told,
                                 .stop = stop_.get_token()});
    if (!made) return std::unexpected(made.error());
    return snapshot_report_json(*made);
  }
  ArchiveVerifyOptions options{
      .percent = asked.percent,
      .seed = drawn_seed(),
      .progress = [&](std::uint64_t read,
                      std::uint64_t all) { progress(number, part_of(read, all)); },
      .stop = stop_.get_token()};
  if (asked.number > 0) options.number = asked.number;
  auto verified = verify_archive(*repository, options);
  if (!verified) return std::unexpected(verified.error());
  return verification_json(*verified);
}

}  // namespace almanac
