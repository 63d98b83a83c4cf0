#include <almanac/snapshots/copy_out.h>

#include <almanac/log/this_thread.h>
#include <almanac/projections/backoff.h>
#include <almanac/snapshots/temporary_folder.h>
#include <almanac/snapshots/whole_file.h>

#include <algorithm>
#include <array>
#include <optional>
#include <ranges>
#include <set>
#include <system_error>
#include <utility>

namespace almanac {
namespace {

namespace fs = std::filesystem;
using Kind = CopyFile::Kind;

// How often the repository may have changed under one copy.
constexpr int plans_max = 10;

// Of the manifest with this name, or 0.
std::uint64_t volume_number(const fs::path& name) {
  if (name.parent_path() != Repository::manifests_folder) return 0;
  return position_named(name.filename().string()).value_or(Position()).value;
}

// In which order files go: none is missing that another one names.
int rank_of(const fs::path& name) {
  if (volume_number(name) > 0) return 0;
  return name.parent_path() == Repository::tails_folder ? 1 : 2;
}

std::unexpected<Error> is_another(const std::string& what) {
  return fail(ErrorCode::conflict, what, "name another place, or empty this one");
}

class Copying {
 public:
  Copying(const Repository& from, CopyTarget& to, const CopyOptions& options)
      : from_(from), to_(to), options_(options) {}

  Result<CopyReport> run();

 private:
  Result<void> plan(const fs::path& temporary);
  Result<void> add_fixed(const fs::path& path, std::vector<CopyFile>& to);
  Result<void> add_tail(const Timeline& timeline, const fs::path& temporary);
  void add_contents(const std::vector<NamedFile>& files);
  Result<void> check_is_copy(const std::vector<std::string>& there);
  Result<void> copy();
  Result<void> put(const CopyFile& file);
  Result<void> remove_rest();

  const Repository& from_;
  CopyTarget& to_;
  const CopyOptions& options_;
  // In the order in which they are copied.
  std::vector<CopyFile> head_;
  std::vector<CopyFile> contents_;
  std::vector<CopyFile> manifests_;
  std::vector<CopyFile> tails_;
  std::set<std::string> names_;  // of all those
  CopyReport report_;
};

Result<void> Copying::add_fixed(const fs::path& path, std::vector<CopyFile>& to) {
  auto bytes = read_whole_file(path);
  if (!bytes) return std::unexpected(bytes.error());
  std::string name = path.lexically_relative(from_.folder()).string();
  names_.insert(name);
  to.push_back({Kind::fixed, std::move(name), path, record_of(*bytes)});
  return {};
}

// As it was at one moment, in a file that stays.
Result<void> Copying::add_tail(const Timeline& timeline, const fs::path& temporary) {
  const fs::path path = from_.path_of(timeline);
  while (true) {
    auto bytes = read_whole_file(path);
    if (!bytes && bytes.error().code == ErrorCode::not_found) return {};
    auto tail = from_.tail(timeline);
    auto again = read_whole_file(path);
    if (bytes && again && *bytes != *again) continue;
    if (!tail) {
      report_.refused.push_back(tail.error());
      return {};
    }
    if (!bytes || !again) return std::unexpected((bytes ? again : bytes).error());
    add_contents(named_files(*tail));
    const fs::path copy = temporary / to_hex(timeline);
    const std::array<Bytes, 1> pieces = {*bytes};
    if (auto written = write_whole_file(copy, pieces); !written) return written;
    std::string name = path.lexically_relative(from_.folder()).string();
    names_.insert(name);
    tails_.push_back({Kind::tail, std::move(name), copy, record_of(*bytes)});
    return {};
  }
}

void Copying::add_contents(const std::vector<NamedFile>& files) {
  for (const NamedFile& file : files) {
    std::string name = file.name.path().string();
    if (!names_.insert(name).second) continue;
    contents_.push_back({Kind::content, std::move(name), from_.path_of(file.name), file.record});
  }
}

// Tails first: a snapshot made meanwhile has what is in them.
Result<void> Copying::plan(const fs::path& temporary) {
  for (auto* files : {&head_, &contents_, &manifests_, &tails_}) files->clear();
  names_.clear();
  report_.refused.clear();
  const auto timelines = from_.tails();
  if (!timelines) return std::unexpected(timelines.error());
  for (const Timeline& timeline : *timelines) {
    if (auto added = add_tail(timeline, temporary); !added) return added;
  }
  if (auto added = add_fixed(from_.head_path(), head_); !added) return added;
  for (std::uint64_t number : from_.numbers() | std::views::reverse) {
    auto manifest = from_.manifest(number);
    if (!manifest) {
      report_.refused.push_back(manifest.error());
      continue;
    }
    add_contents(named_files(*manifest));
    if (auto added = add_fixed(from_.path_of(number), manifests_); !added) return added;
  }
  return {};
}

// What would be replaced or removed there is of this repository.
Result<void> Copying::check_is_copy(const std::vector<std::string>& there) {
  const auto numbers = from_.numbers();
  const std::uint64_t newest = numbers.empty() ? 0 : numbers.front();
  for (const std::string& name : there) {
    if (volume_number(name) > newest) {
      return is_another("the copy has snapshot " + std::to_string(volume_number(name)) +
                        ", and the repository none so new");
    }
  }
  const std::set<std::string> names(there.begin(), there.end());
  for (const auto* files : {&head_, &manifests_}) {
    for (const CopyFile& file : *files) {
      if (names.contains(file.name) && !to_.has(file)) {
        return is_another("the copy has another " + file.name + " than the repository");
      }
    }
  }
  return {};
}

Result<void> Copying::put(const CopyFile& file) {
  for (std::uint32_t tries = 1;; ++tries) {
    if (options_.stop.stop_requested()) {
      return fail(ErrorCode::stopped, "the copy was stopped before it was complete",
                  "what was copied stays; the next one goes on from there");
    }
    auto put = to_.put(file);
    if (put) break;
    const ErrorCode code = put.error().code;
    const bool is_final =
        code == ErrorCode::not_found || code == ErrorCode::corrupt || code == ErrorCode::invalid;
    if (is_final || tries >= options_.tries) return put;
    const Backoff backoff{.initial = options_.retry_after};
    this_thread::wait_for(options_.stop, retry_delay(backoff, {.policy = RetryPolicy::exponential,
                                                               .failures = tries}));
  }
  ++report_.files;
  report_.bytes += file.record.bytes;
  if (options_.progress) options_.progress(report_);
  return {};
}

Result<void> Copying::copy() {
  for (const auto* files : {&head_, &contents_, &manifests_, &tails_}) {
    for (const CopyFile& file : *files) {
      if (to_.has(file)) continue;
      if (auto copied = put(file); !copied) return copied;
    }
  }
  return {};
}

Result<void> Copying::remove_rest() {
  if (!report_.refused.empty()) return {};
  auto there = to_.names();
  if (!there) return std::unexpected(there.error());
  std::erase_if(*there, [&](const std::string& name) { return names_.contains(name); });
  std::ranges::stable_sort(*there, {}, rank_of);
  for (const std::string& name : *there) {
    if (auto removed = to_.remove(name); !removed) return removed;
    ++report_.removed;
  }
  return {};
}

Result<CopyReport> Copying::run() {
  auto temporary = TemporaryFolder::make(options_.temporary, "almanac-copy");
  if (!temporary) return std::unexpected(temporary.error());
  for (int plans = 1;; ++plans) {
    auto planned = plan(temporary->path());
    if (!planned) return std::unexpected(planned.error());
    auto there = to_.names();
    if (!there) return std::unexpected(there.error());
    auto copied = check_is_copy(*there);
    if (copied) copied = copy();
    if (copied) copied = remove_rest();
    if (copied) return std::move(report_);
    // A file that has become part of another one, or was pruned.
    if (copied.error().code != ErrorCode::not_found || plans == plans_max) {
      return std::unexpected(copied.error());
    }
  }
}

}  // namespace

Result<CopyReport> copy_out(const Repository& from, CopyTarget& to, const CopyOptions& options) {
  return Copying(from, to, options).run();
}

// ---- In a folder.

Result<FolderCopy> FolderCopy::open(const fs::path& folder, const Repository& of) {
  if (auto outside = of.check_outside(folder); !outside) return std::unexpected(outside.error());
  if (auto made = make_folder(folder); !made) return std::unexpected(made.error());
  if (!Repository::may_be_in(folder)) {
    return fail(ErrorCode::refused, folder.string() + " holds something else and no repository",
                "name an empty folder, or one that does not exist");
  }
  auto lock = WriteLock::take(folder, "repository");
  if (!lock) return std::unexpected(lock.error());
  return FolderCopy(folder, std::move(*lock));
}

Result<std::vector<std::string>> FolderCopy::names() {
  std::vector<std::string> names;
  std::error_code none;
  if (fs::exists(folder_ / Repository::head_file, none)) names.push_back(Repository::head_file);
  for (const char* kind : {Repository::manifests_folder, Repository::tails_folder,
                           Repository::segments_folder, Repository::checkpoints_folder}) {
    std::error_code error;
    for (fs::recursive_directory_iterator entry(folder_ / kind, error);
         !error && entry != end(entry); entry.increment(error)) {
      if (entry->is_directory(error)) continue;
      names.push_back(entry->path().lexically_relative(folder_).string());
    }
    if (error && error != std::errc::no_such_file_or_directory) {
      return fail_errno(error.value(), "list " + (folder_ / kind).string());
    }
  }
  return names;
}

bool FolderCopy::has(const CopyFile& file) {
  const fs::path path = folder_ / file.name;
  std::error_code none;
  if (!fs::is_regular_file(fs::symlink_status(path, none)) ||
      fs::file_size(path, none) != file.record.bytes) {
    return false;
  }
  if (file.kind == Kind::content) return true;
  auto bytes = read_whole_file(path, file.record.bytes);
  return bytes && record_of(*bytes) == file.record;
}

Result<void> FolderCopy::put(const CopyFile& file) {
  return copy_whole_file(file.path, folder_ / file.name, file.record.bytes, file.record.digest);
}

Result<void> FolderCopy::remove(const std::string& name) { return remove_file(folder_ / name); }

}  // namespace almanac
