#include <almanac/log/folder.h>

#include <almanac/log/file.h>
#include <almanac/log/file_journal.h>
#include <almanac/log/store.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace almanac {
namespace {

namespace fs = std::filesystem;

Result<void> check_is_folder(const fs::path& folder) {
  struct stat status;
  if (::stat(folder.c_str(), &status) != 0) return fail_errno(errno, "open " + folder.string());
  if (S_ISDIR(status.st_mode)) return {};
  return fail(ErrorCode::invalid, folder.string() + " is a file, not a folder",
              "name a folder with --dir");
}

// Who may ask is said before there is anything to ask for: `almanac token create`. Its files may
// just be coming.
bool is_of_tokens(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder / "tokens", error)) return true;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!entry->path().filename().string().starts_with("tokens")) return false;
  }
  return !error;
}

// A log is only begun in a folder that holds nothing else, so that a mistyped name does no harm.
Result<void> check_may_create(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    auto name = entry->path().filename();
    if (name == "lock" || name == "log.creating") continue;
    if (name == "daemon" && is_of_tokens(entry->path())) continue;
    // Another process may have begun it since we looked.
    if (name == store_folder && fs::exists(entry->path() / pages_file, error)) continue;
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

}  // namespace

Result<void> prepare_writing(const fs::path& folder) {
  if (folder.empty()) {
    return fail(ErrorCode::invalid, "no folder is named for the log", "name one");
  }
  if (auto made = make_folder(folder, 0700); !made) return made;
  if (auto checked = check_is_folder(folder); !checked) return checked;
  auto exists = Store::exists(folder / store_folder);
  if (!exists) return std::unexpected(exists.error());
  return *exists ? Result<void>() : check_may_create(folder);
}

// With the lock held: two processes may have found no log, and one of them has made it since. Who
// made it may have died before its name was certain.
Result<void> create_if_missing(const fs::path& folder) {
  auto exists = Store::exists(folder / store_folder);
  if (!exists) return std::unexpected(exists.error());
  auto created =
      *exists ? sync_folder(folder)
              : Store::create(folder / store_folder,
                              {.journal = JournalUse::open, .also = [](const fs::path& building) {
                                 return create_file_journal(building / journal_folder);
                               }});
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

}  // namespace almanac
