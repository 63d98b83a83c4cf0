#include <almanac/log/log.h>

#include <almanac/log/codec.h>
#include <almanac/log/file.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr const char* store_folder = "log";

Result<void> check_is_folder(const fs::path& folder) {
  struct stat status;
  if (::stat(folder.c_str(), &status) != 0) return fail_errno(errno, "open " + folder.string());
  if (S_ISDIR(status.st_mode)) return {};
  return fail(ErrorCode::invalid, folder.string() + " is a file, not a folder",
              "name a folder with --dir");
}

// A log is only begun in a folder that holds nothing else, so that a mistyped name does no harm.
Result<void> check_may_create(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    auto name = entry->path().filename();
    if (name == "lock" || name == "log.creating") continue;
    // Another process may have begun it since we looked.
    if (name == store_folder && fs::exists(entry->path() / "data.mdb", error)) continue;
    return fail(ErrorCode::refused,
                folder.string() + " holds other files (" + name.string() + ") and no log",
                "name an empty or a new folder with --dir");
  }
  if (error) return fail_errno(error.value(), "read the folder " + folder.string());
  return {};
}

// The folder `path` names, without a slash at its end, and the folder that one is in.
fs::path trimmed(const fs::path& path) { return path.has_filename() ? path : path.parent_path(); }
fs::path above(const fs::path& folder) {
  auto parent = trimmed(folder).parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

// Makes a folder, and those above it that are missing, so that they survive a power loss.
Result<void> make_folder(const fs::path& folder, mode_t mode) {
  auto path = trimmed(folder);
  int made = ::mkdir(path.c_str(), mode);
  if (made != 0 && errno == ENOENT && !path.parent_path().empty()) {
    if (auto parent = make_folder(path.parent_path(), 0777); !parent) return parent;
    made = ::mkdir(path.c_str(), mode);
  }
  if (made == 0) return sync_folder(above(path));
  if (errno == EEXIST) return {};
  if (errno == ENOTDIR) {
    return fail(ErrorCode::invalid, path.parent_path().string() + " is no folder",
                "name a folder with --dir");
  }
  return fail_errno(errno, "create the folder " + folder.string(),
                    "name a folder you may write to with --dir");
}

Result<void> prepare_writing(const fs::path& folder) {
  if (auto made = make_folder(folder, 0700); !made) return made;
  if (auto checked = check_is_folder(folder); !checked) return checked;
  auto exists = Store::exists(folder / store_folder);
  if (!exists) return std::unexpected(exists.error());
  return *exists ? Result<void>() : check_may_create(folder);
}

// With the lock held: two processes may have found no log, and one of them has made it since.
Result<void> create_if_missing(const fs::path& folder) {
  auto exists = Store::exists(folder / store_folder);
  if (!exists) return std::unexpected(exists.error());
  if (*exists) return {};
  auto created = Store::create(folder / store_folder);
  // The folder itself may be new. Where we may not read what it lies in, we did not make it.
  auto synced = created ? sync_folder(above(folder)) : created;
  if (!synced && created && synced.error().code == ErrorCode::refused) return {};
  return synced;
}

Result<void> check_readable(const fs::path& folder) {
  std::error_code error;
  bool exists = fs::exists(folder, error);
  if (error) return fail_errno(error.value(), "open " + folder.string());
  if (exists) {
    if (auto checked = check_is_folder(folder); !checked) return checked;
    auto has_log = Store::exists(folder / store_folder);
    if (!has_log) return std::unexpected(has_log.error());
    if (*has_log) return {};
  }
  return fail(ErrorCode::not_found, "there is no log in " + folder.string(),
              "submit work to it first, or name another folder with --dir");
}

// LMDB's readers register in its lock file, which it makes where it is missing. Where it cannot,
// nobody else may write while we read, which our own lock sees to.
bool can_register(const fs::path& store) {
  if (::access((store / "lock.mdb").c_str(), W_OK) == 0) return true;
  return errno == ENOENT && ::access(store.c_str(), W_OK) == 0;
}

std::unexpected<Error> at_position(const Error& error, Position position) {
  auto placed = error;
  placed.message += " (at position " + std::to_string(position.value) + ")";
  return std::unexpected(std::move(placed));
}

}  // namespace

Result<std::unique_ptr<Log>> Log::open(const fs::path& folder, LogOptions options) {
  std::unique_ptr<Log> log(new Log);
  bool writing = options.access == Access::write;
  Store::OpenOptions store_options{.access = options.access, .map_bytes = options.map_bytes};
  auto checked = writing ? prepare_writing(folder) : check_readable(folder);
  if (!checked) return std::unexpected(checked.error());
  if (!writing) {
    store_options.registered = can_register(folder / store_folder);
  }
  if (writing || !store_options.registered) {
    auto lock = writing ? WriteLock::take(folder) : WriteLock::share(folder);
    if (!lock) return std::unexpected(lock.error());
    log->lock_ = std::move(*lock);
  }
  if (writing) {
    if (auto created = create_if_missing(folder); !created) {
      return std::unexpected(created.error());
    }
  }
  auto store = Store::open(folder / store_folder, store_options);
  if (!store) return std::unexpected(store.error());
  log->store_ = std::move(*store);
  auto tail = log->tail();
  if (!tail) return std::unexpected(tail.error());
  log->opened_tail_ = *tail;
  if (writing) log->start_writer(std::move(options.on_commit));
  return log;
}

void Log::start_writer(OnCommit on_commit) {
  auto told = [this, before = opened_tail_.last,
               on_commit = std::move(on_commit)](const CommitReport& report) mutable {
    auto expected = before.value;
    verified_through_.compare_exchange_strong(expected, report.through.value);
    before = report.through;
    on_commit(report);
  };
  writer_ = std::make_unique<Writer>(*store_, opened_tail_, std::move(told));
}

Log::~Log() = default;

Result<FrameReader> Log::read_frame(const Store::Frame& frame) const {
  auto trust =
      frame.first.value <= verified_through_ ? FrameTrust::verified : FrameTrust::unverified;
  auto reader = FrameReader::open(frame.value, trust);
  if (!reader) return at_position(reader.error(), frame.first);
  if (reader->header().first != frame.first) {
    return at_position({ErrorCode::corrupt, "a frame stands in another one's place", ""},
                       frame.first);
  }
  if (reader->header().timeline != timeline()) {
    return at_position({ErrorCode::corrupt, "a frame belongs to another log", ""}, frame.first);
  }
  return reader;
}

Result<LogTail> Log::tail() const {
  LogTail tail;
  auto last = store_->last_key();
  if (!last) return std::unexpected(last.error());
  auto read = store_->read(*last, [&](const Store::Frame& frame) -> Result<bool> {
    auto reader = read_frame(frame);
    if (!reader) return std::unexpected(reader.error());
    auto event = reader->event(reader->header().count - 1);
    if (!event) return std::unexpected(event.error());
    tail = {reader->header().last(), reader->digest(), event->at};
    return true;
  });
  if (!read) return std::unexpected(read.error());
  return tail;
}

Result<void> Log::read_frames(Position from, const VisitFrame& visit) const {
  // The frame in front of the current one. In front of the first there is an empty log.
  std::optional<LogTail> before;
  if (from <= Position(1)) before = LogTail{};
  return store_->read(from ? from : Position(1), [&](const Store::Frame& frame) -> Result<bool> {
    auto reader = read_frame(frame);
    if (!reader) return std::unexpected(reader.error());
    const FrameHeader& header = reader->header();
    if (before ? header.first != before->last.next() || header.previous != before->digest
               : header.first > from) {
      return at_position({ErrorCode::corrupt, "a frame does not follow the one before it", ""},
                         before ? before->last.next() : from);
    }
    before = LogTail{header.last(), reader->digest(), header.time};
    auto expected = header.first.value - 1;
    verified_through_.compare_exchange_strong(expected, header.last().value);
    if (header.last() < from) return true;  // the last frame, when `from` is past the end
    return visit(*reader);
  });
}

Result<void> Log::read(Position from, const Visit& visit) const {
  return read_frames(from, [&](const FrameReader& frame) -> Result<bool> {
    for (std::uint32_t i = 0; i < frame.header().count; ++i) {
      Position position(frame.header().first.value + i);
      if (position < from) continue;
      auto event = frame.event(i);
      if (!event) return std::unexpected(event.error());
      auto more = visit({position, *event});
      if (!more || !*more) return more;
    }
    return true;
  });
}

Result<void> Log::read_one(Position position,
                           const std::function<void(const Event&)>& visit) const {
  bool found = false;
  auto find = [&](const FrameReader& frame) -> Result<bool> {
    auto index = position.value - frame.header().first.value;
    auto event = frame.event(static_cast<std::uint32_t>(index));
    if (!event) return std::unexpected(event.error());
    found = true;
    visit(*event);
    return false;
  };
  auto read = position ? read_frames(position, find) : Result<void>();
  if (!read || found) return read;
  return fail(ErrorCode::not_found, "the log has no event " + std::to_string(position.value));
}

Result<Position> Log::append(std::shared_ptr<const EventBatch> batch) {
  auto cost = check_batch(*batch);
  if (!cost) return std::unexpected(cost.error());
  return writer_->append(std::move(batch), *cost);
}

}  // namespace almanac
