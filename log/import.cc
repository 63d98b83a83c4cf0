#include <almanac/log/import.h>

#include <almanac/log/file.h>
#include <almanac/log/folder.h>
#include <almanac/log/limits.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

namespace almanac {
namespace {

namespace fs = std::filesystem;

// Of one commit. Small frames cost more than their bytes.
constexpr std::size_t commit_frames_max = 4096;
constexpr std::size_t commit_records_max = 10'000;

std::unexpected<Error> bad_frame(Position first, const std::string& what) {
  return fail(ErrorCode::invalid,
              "the frame at position " + std::to_string(first.value) + " " + what);
}

// Frames hold what several batches brought, so that one may be over the limits of a batch: then its
// halves are looked at.
Result<BatchCost> check_events(std::span<const Event> events) {
  auto cost = check_batch({.events = {events.begin(), events.end()}, .memory = {}});
  if (cost || events.size() == 1) return cost;
  auto front = check_events(events.first(events.size() / 2));
  if (!front) return front;
  auto back = check_events(events.subspan(events.size() / 2));
  if (!back) return back;
  return BatchCost{.bytes = front->bytes + back->bytes, .names = front->names + back->names};
}

Result<void> check_times(Time time, std::span<const Event> events, const LogTail& before) {
  auto first = before.last.next();
  constexpr Time time_max{Duration(INT64_MAX - UINT32_MAX)};
  if (time < Time() || time > time_max || events.front().at < time) {
    return bad_frame(first, "has a time that is not before its events'");
  }
  Time latest = before.time;
  for (const Event& event : events) {
    if (event.at < latest) return bad_frame(first, "holds an event older than the one before it");
    latest = event.at;
  }
  if ((latest - time).count() > UINT32_MAX) {
    return bad_frame(first, "holds events over 71 minutes apart");
  }
  return {};
}

}  // namespace

Result<void> LogImport::check_target(const fs::path& folder) {
  std::error_code error;
  auto status = fs::status(folder, error);
  if (status.type() == fs::file_type::not_found) return {};
  if (error) return fail_errno(error.value(), "open " + folder.string());
  if (!fs::is_directory(status)) {
    return fail(ErrorCode::invalid, folder.string() + " is a file, not a folder", "name a folder");
  }
  fs::directory_iterator entry(folder, error);
  if (error) return fail_errno(error.value(), "read the folder " + folder.string());
  if (entry == fs::directory_iterator()) return {};
  return fail(ErrorCode::conflict,
              folder.string() + " is not empty (" + entry->path().filename().string() + ")",
              "name an empty or a new folder");
}

Result<std::unique_ptr<LogImport>> LogImport::begin(const fs::path& folder,
                                                    const Timeline& timeline, const LogTail& base,
                                                    Position checkpoint) {
  if (auto free = check_target(folder); !free) return std::unexpected(free.error());
  std::unique_ptr<LogImport> log(new LogImport);
  std::error_code error;
  auto path = fs::weakly_canonical(fs::absolute(folder), error);
  if (error) return fail_errno(error.value(), "open " + folder.string());
  log->folder_ = path.has_filename() ? path : path.parent_path();
  if (auto made = log->make_folders(); !made) return std::unexpected(made.error());
  auto lock = WriteLock::take(log->folder_.string() + ".importing");
  if (!lock) return std::unexpected(lock.error());
  // From here on it is ours, and what lies in it is what a crash has left.
  log->building_ = log->folder_.string() + ".importing";
  log->lock_ = std::move(*lock);
  for (const char* name : {"log", "log.creating"}) fs::remove_all(log->building_ / name, error);
  auto store_path = log->building_ / store_folder;
  if (auto created = Store::create(store_path, {.timeline = timeline}); !created) {
    return std::unexpected(created.error());
  }
  auto store =
      Store::open(store_path, {.access = Access::write, .map_bytes = limits::map_bytes_default});
  if (!store) return std::unexpected(store.error());
  log->store_ = std::move(*store);
  log->reader_ = std::make_unique<Reader>(Reader::Parts{.store = *log->store_});
  log->tail_ = base;
  log->committed_ = base.last;
  if (base.last) {
    auto set = log->store_->append({}, {.base = StoreBase{base.last, base.digest, base.time}});
    if (!set) return std::unexpected(set.error());
  }
  checkpoint = std::max(checkpoint, base.last);
  if (checkpoint) {
    if (auto set = log->store_->set_checkpoint(checkpoint); !set)
      return std::unexpected(set.error());
  }
  // Nobody has it before it is finished.
  log->store_->sync_later();
  return log;
}

Result<void> LogImport::make_folders() {
  auto building = fs::path(folder_.string() + ".importing");
  std::vector<fs::path> missing;
  std::error_code error;
  for (auto above = building.parent_path(); !above.empty() && !fs::exists(above, error);
       above = above.parent_path()) {
    missing.push_back(above);
  }
  for (; !missing.empty(); missing.pop_back()) {
    const auto& path = missing.back();
    if (::mkdir(path.c_str(), 0777) != 0) {
      return fail_errno(errno, "create the folder " + path.string());
    }
    made_.push_back(path);
    if (auto synced = sync_folder(path.parent_path()); !synced) return synced;
  }
  if (::mkdir(building.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail_errno(errno, "create the folder " + building.string(),
                    "name a folder you may write to");
}

LogImport::~LogImport() {
  if (committing_.valid()) committing_.wait();
  if (folder_.empty()) return;
  reader_.reset();
  store_.reset();
  std::error_code ignored;
  if (!building_.empty()) fs::remove_all(building_, ignored);
  for (; !made_.empty(); made_.pop_back()) fs::remove(made_.back(), ignored);
}

Result<void> LogImport::set_origin(const LogOrigin& origin) {
  return store_->append({}, {.origin = origin});
}

// The index knows what was removed, and is told of the rest by who opens the log.
Result<void> LogImport::add_removed(const IndexRecord& record) {
  if (!removed_.indexed_through) removed_.indexed_through = tail_.last;
  removed_.index.push_back(record);
  return removed_.index.size() < commit_records_max ? Result<void>() : begin_commit();
}

Result<void> LogImport::add(Time time, std::vector<Event> events) {
  auto first = tail_.last.next();
  if (events.empty()) return bad_frame(first, "holds no events");
  if (auto checked = check_times(time, events, tail_); !checked) return checked;
  auto cost = check_events(events);
  if (!cost) return std::unexpected(cost.error());
  if (cost->bytes > limits::frame_bytes_max || cost->names >= limits::frame_names_max) {
    return bad_frame(first, "is larger than frames are");
  }
  EventBatch batch{.events = std::move(events), .memory = {}};
  const EventBatch* batches[] = {&batch};
  auto encoded = encoder_.encode(
      {.timeline = store_->timeline(), .first = first, .time = time, .previous = tail_.digest},
      batches);
  return add({first, {encoded.value.begin(), encoded.value.end()}},
             {.last = Position(tail_.last.value + batch.events.size()),
              .digest = encoded.digest,
              .time = batch.events.back().at});
}

Result<void> LogImport::add(const FrameReader& frame) {
  const FrameHeader& header = frame.header();
  if (header.first != tail_.last.next()) return bad_frame(header.first, "does not come next");
  auto begin = frame.event(0);
  if (!begin) return std::unexpected(begin.error());
  auto end = tail_of(frame);
  if (!end) return std::unexpected(end.error());
  if (begin->at < tail_.time) {
    return bad_frame(header.first, "holds an event older than the one before it");
  }
  Encoded copy{header.first, {frame.value().begin(), frame.value().end()}};
  auto digest = relink_frame(copy.value, store_->timeline(), tail_.digest);
  if (!digest) return std::unexpected(digest.error());
  return add(std::move(copy), {.last = end->last, .digest = *digest, .time = end->time});
}

Result<void> LogImport::add(Encoded frame, const LogTail& tail) {
  pending_bytes_ += frame.value.size();
  pending_.push_back(std::move(frame));
  tail_ = tail;
  bool is_full =
      pending_bytes_ >= limits::commit_bytes_target || pending_.size() >= commit_frames_max;
  return is_full ? begin_commit() : Result<void>();
}

Result<void> LogImport::write(Store& store, const Commit& commit) {
  std::vector<Store::Frame> frames;
  frames.reserve(commit.frames.size());
  for (const Encoded& frame : commit.frames) frames.push_back({frame.first, frame.value});
  return store.append(frames, commit.removed);
}

// One at a time: what is written stands behind what was written before.
Result<void> LogImport::begin_commit() {
  if (auto ended = end_commit(); !ended) return ended;
  if (pending_.empty() && removed_.index.empty()) return {};
  auto commit = std::make_shared<const Commit>(std::exchange(pending_, {}),
                                               std::exchange(removed_, {}), tail_.last);
  pending_bytes_ = 0;
  committing_through_ = commit->last;
  committing_ = std::async(std::launch::async,
                           [store = store_.get(), commit] { return write(*store, *commit); });
  return {};
}

Result<void> LogImport::end_commit() {
  if (committing_.valid()) {
    auto written = committing_.get();
    if (written) committed_ = committing_through_;
    if (!written) failed_ = std::move(written.error());
  }
  return failed_ ? std::unexpected(*failed_) : Result<void>();
}

Result<void> LogImport::commit() {
  if (auto begun = begin_commit(); !begun) return begun;
  if (auto ended = end_commit(); !ended) return ended;
  auto synced = store_->sync();
  if (!synced) failed_ = synced.error();
  return synced;
}

// 1. commit the rest  2. close LMDB  3. what else belongs there  4. sync the names inside  5.
// rename
// 6. sync the name
Result<void> LogImport::finish(const Also& also) {
  if (auto committed = commit(); !committed) return committed;
  reader_.reset();
  store_.reset();
  if (also) {
    if (auto made = also(building_); !made) return made;
  }
  if (auto synced = sync_folder(building_); !synced) return synced;
  if (::rename(building_.c_str(), folder_.c_str()) != 0) {
    int failed = errno;
    if (auto free = check_target(folder_); !free) return free;
    return fail_errno(failed, "rename " + building_.string());
  }
  auto parent = folder_.parent_path();
  folder_.clear();  // there is nothing to remove any more
  return sync_folder(parent);
}

}  // namespace almanac
