#include <almanac/log/repair.h>

#include <almanac/log/commit_record.h>
#include <almanac/log/file.h>
#include <almanac/log/folder.h>
#include <almanac/log/limits.h>
#include <almanac/log/log.h>
#include <almanac/log/salvage.h>
#include <almanac/log/store.h>
#include <almanac/log/verify.h>
#include <almanac/log/write_lock.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <vector>

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr const char* repairing_folder = "log.repairing";
constexpr const char* ready_folder = "log.repaired";

// What is wrong with the log; an error when it is whole, or cannot be judged.
Result<Error> find_damage(const fs::path& folder) {
  auto log = Log::open(folder, {.access = Access::read});
  auto verified = log ? verify(**log) : Result<VerifyReport>(std::unexpected(log.error()));
  if (verified) {
    return fail(ErrorCode::refused, "the log is whole: there is nothing to repair",
                "go on using it");
  }
  if (verified.error().code != ErrorCode::corrupt) return std::unexpected(verified.error());
  return verified.error();
}

RepairReport report_of(const Salvage& salvage, const std::optional<CommitRecord>& confirmed,
                       Error damage) {
  RepairReport report{.damage = std::move(damage)};
  if (!salvage.chain.empty()) report.first = salvage.chain.front().header.first;
  report.first_is_guessed = salvage.begins_anywhere;
  for (const FoundFrame& frame : salvage.chain) {
    ++report.frames;
    report.bytes += frame.bytes;
    report.kept = frame.header.last();
  }
  report.lost = report.kept;
  if (confirmed) report.lost = std::max(report.lost, confirmed->last);
  for (const FoundFrame& frame : salvage.loose) {
    report.readable += frame.header.count;
    report.lost = std::max(report.lost, frame.header.last());
  }
  return report;
}

// What a damaged store still says of itself; nothing where it cannot be opened.
struct Beginning {
  std::optional<Store::Base> base;
  Position checkpoint;
  std::optional<LogOrigin> origin;
};

Beginning read_beginning(const fs::path& store_path) {
  auto store = Store::open(store_path, {.access = Access::read,
                                        .map_bytes = limits::map_bytes_default,
                                        .registered = can_register(store_path)});
  if (!store) return {};
  Beginning beginning;
  if (auto base = (*store)->base()) beginning.base = *base;
  if (auto checkpoint = (*store)->checkpoint()) beginning.checkpoint = *checkpoint;
  if (auto origin = (*store)->origin()) beginning.origin = *origin;
  return beginning;
}

// What the new store has to say of itself. A log without its front has a checkpoint, which is where
// its front was kept elsewhere.
StoreRecords records_for(const Salvage& salvage, const Beginning& beginning) {
  StoreRecords records{.origin = beginning.origin};
  const FrameHeader& front = salvage.chain.front().header;
  const Position in_front(front.first.value - 1);
  auto checkpoint = std::min(beginning.checkpoint, salvage.chain.back().header.last());
  checkpoint = std::max(checkpoint, in_front);
  if (checkpoint) records.checkpoint = checkpoint;
  if (beginning.base && beginning.base->last) {
    records.base = beginning.base;
  } else if (in_front) {
    records.base = Store::Base{in_front, front.previous, front.time};
  }
  return records;
}

// The chain in a new store, in commits of the usual size.
Result<void> write_chain(const Salvage& salvage, const StoreRecords& records,
                         const fs::path& store_path) {
  auto timeline = salvage.chain.front().header.timeline;
  if (auto made = Store::create(store_path, {.timeline = timeline}); !made) return made;
  std::uint64_t bytes = 0;
  for (const FoundFrame& frame : salvage.chain) bytes += frame.bytes;
  auto map_bytes = std::max<std::uint64_t>(limits::map_bytes_default, 2 * bytes);
  auto store = Store::open(store_path, {.map_bytes = map_bytes});
  if (!store) return std::unexpected(store.error());
  if (auto said = (*store)->append({}, records); !said) return said;
  for (auto next = salvage.chain.begin(); next != salvage.chain.end();) {
    std::vector<std::vector<std::uint64_t>> memories;
    std::vector<Store::Frame> frames;
    for (std::size_t taken = 0; next != salvage.chain.end() && taken < limits::commit_bytes_target;
         ++next) {
      auto value = read_found(salvage, *next, memories.emplace_back());
      if (!value) return std::unexpected(value.error());
      frames.push_back({next->header.first, *value});
      taken += value->size();
    }
    if (auto appended = (*store)->append(frames); !appended) return appended;
  }
  return {};
}

Result<void> build(const Salvage& salvage, const StoreRecords& records, const fs::path& building) {
  std::error_code error;
  fs::create_directory(building, error);
  if (error) return fail_errno(error.value(), "create " + building.string());
  auto written = write_chain(salvage, records, building / store_folder);
  if (!written) return written;
  auto log = Log::open(building, {.access = Access::read});
  if (!log) return std::unexpected(log.error());
  auto verified = verify(**log);
  if (!verified) return std::unexpected(verified.error());
  if (verified->last == salvage.chain.back().header.last()) return {};
  return fail(ErrorCode::corrupt, "the repaired log does not hold what was found");
}

// Whether there is something of that name, be it a link that leads nowhere.
Result<bool> has_entry(const fs::path& path) {
  std::error_code error;
  const auto status = fs::symlink_status(path, error);
  if (status.type() == fs::file_type::not_found) return false;
  if (error) return fail_errno(error.value(), "open " + path.string());
  return true;
}

Result<fs::path> free_name(const fs::path& folder) {
  for (std::uint64_t number = 1;; ++number) {
    auto path = folder / ("log.damaged-" + std::to_string(number));
    auto taken = has_entry(path);
    if (!taken) return std::unexpected(taken.error());
    if (!*taken) return path;
  }
}

// A new log lies ready and the old one is gone already: a crash came between two renames.
Result<void> finish_interrupted(const fs::path& folder) {
  auto ready = folder / ready_folder;
  auto stored = has_entry(folder / store_folder);
  if (!stored) return std::unexpected(stored.error());
  if (*stored) return {};
  if (auto named = rename_synced(ready, folder / store_folder); !named) return named;
  std::error_code ignored;
  fs::remove_all(folder / repairing_folder, ignored);
  return {};
}

// Each step leaves a folder from which a repair can go on. A move from one folder to another may
// come apart when the power fails, so that the log is in neither: it comes while the old one has
// its name.
Result<fs::path> exchange(const fs::path& folder) {
  auto aside = free_name(folder);
  if (!aside) return aside;
  if (auto synced = sync_folder(folder); !synced) return std::unexpected(synced.error());
  auto building = folder / repairing_folder;
  auto moved = rename_synced(building / store_folder, folder / ready_folder);
  if (moved) moved = sync_folder(building);
  if (moved) moved = rename_synced(folder / store_folder, *aside);
  if (moved) moved = rename_synced(folder / ready_folder, folder / store_folder);
  if (!moved) return std::unexpected(moved.error());
  std::error_code ignored;
  fs::remove_all(building, ignored);
  return aside;
}

}  // namespace

Result<RepairReport> repair(const fs::path& folder, const RepairOptions& options) {
  auto stored = has_entry(folder / store_folder);
  auto ready = stored && *stored ? stored : has_entry(folder / ready_folder);
  if (!stored || !ready) return std::unexpected(stored ? ready.error() : stored.error());
  if (!*ready) {
    return fail(ErrorCode::not_found, "there is no log in " + folder.string(),
                "name another folder with --dir");
  }
  auto lock = options.dry_run ? WriteLock::share(folder) : WriteLock::take(folder);
  if (!lock) return std::unexpected(lock.error());
  if (!options.dry_run) {
    if (auto finished = finish_interrupted(folder); !finished) {
      return std::unexpected(finished.error());
    }
  }
  auto damage = find_damage(folder);
  if (!damage) return std::unexpected(damage.error());
  const auto confirmed = CommitFile::read(folder / store_folder);
  const auto beginning = read_beginning(folder / store_folder);
  auto salvage =
      find_frames({folder / store_folder},
                  {.confirmed = confirmed, .base = beginning.base, .progress = options.progress});
  if (!salvage) return std::unexpected(salvage.error());
  auto report = report_of(*salvage, confirmed[0], *damage);
  if (salvage->chain.empty()) {
    return fail(
        ErrorCode::corrupt,
        "nothing can be saved: the first frame is not whole anywhere (" + damage->message + ")",
        "restore the folder from a backup");
  }
  if (options.dry_run) return report;
  auto building = folder / repairing_folder;
  std::error_code ignored;
  for (const char* left : {repairing_folder, ready_folder}) fs::remove_all(folder / left, ignored);
  auto built = build(*salvage, records_for(*salvage, beginning), building);
  if (!built) {
    fs::remove_all(building, ignored);
    return std::unexpected(built.error());
  }
  auto aside = exchange(folder);
  if (!aside) return std::unexpected(aside.error());
  report.aside = *aside;
  return report;
}

}  // namespace almanac
