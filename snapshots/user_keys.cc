#include <almanac/snapshots/user_keys.h>

#include <almanac/log/file.h>
#include <almanac/log/hash.h>
#include <almanac/snapshots/whole_file.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr fs::perms key_permissions = fs::perms::owner_read | fs::perms::owner_write;
constexpr std::string_view keys_title = "almanac user keys, format ";
constexpr std::string_view ledger_title = "almanac destroyed user keys, format ";
constexpr std::size_t slot_bytes = 64;  // never across two sectors of a disk
constexpr std::size_t checked_bytes = sizeof(UserKeyId) + sizeof(EncryptionKey);

using Slot = std::array<std::byte, slot_bytes>;

fs::path keys_file(const fs::path& folder) { return folder / "users"; }
fs::path ledger_file(const fs::path& folder) { return folder / "destroyed"; }

std::string first_line(std::string_view title) { return std::string(title) + "1\n"; }

Result<void> check_title(std::string_view file, std::string_view title, const fs::path& path) {
  if (file.starts_with(first_line(title))) return {};
  if (!file.starts_with(title)) {
    return fail(ErrorCode::corrupt, path.string() + " is no file of user keys",
                "bring back a copy of it that is whole");
  }
  return fail(ErrorCode::newer_format,
              path.string() + " is of a format that is newer than this version of Almanac knows",
              "use the version that wrote it, or a later one");
}

Slot slot_of(const UserKeyId& id, const EncryptionKey& key) {
  Slot slot{};
  std::ranges::copy(id, slot.begin());
  std::ranges::copy(key.bytes, slot.begin() + sizeof(UserKeyId));
  const std::uint64_t checksum = xxh3(Bytes(slot).first(checked_bytes));
  std::memcpy(slot.data() + checked_bytes, &checksum, sizeof(checksum));
  return slot;
}

bool is_key(Bytes slot) {
  const std::uint64_t checksum = xxh3(slot.first(checked_bytes));
  return std::memcmp(slot.data() + checked_bytes, &checksum, sizeof(checksum)) == 0;
}

// Nothing where there is no such file.
Result<std::vector<std::byte>> read_if_there(const fs::path& file) {
  auto bytes = read_whole_file(file);
  if (!bytes && bytes.error().code == ErrorCode::not_found) return std::vector<std::byte>();
  return bytes;
}

Result<void> write_at(const FileDescriptor& file, Bytes bytes, off_t at, const fs::path& path) {
  while (!bytes.empty()) {
    const auto written = ::pwrite(file.get(), bytes.data(), bytes.size(), at);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(errno, "write " + path.string());
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    at += written;
  }
  if (::fdatasync(file.get()) != 0) return fail_errno(errno, "sync " + path.string());
  return {};
}

// To change it: nobody else does until it is closed, in no process.
Result<FileDescriptor> open_locked(const fs::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid() || ::flock(file.get(), LOCK_EX) != 0) {
    return fail_errno(errno, "open " + path.string());
  }
  return file;
}

Result<off_t> size_of(const FileDescriptor& file, const fs::path& path) {
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fail_errno(errno, "read " + path.string());
  return status.st_size;
}

Result<void> make_if_missing(const fs::path& file, Bytes head) {
  std::error_code none;
  const std::array pieces = {head};
  return fs::exists(file, none) ? Result<void>() : write_whole_file(file, pieces);
}

// Behind what a crash may have left of a line.
Result<void> enter(const fs::path& path, const UserKeyId& id) {
  auto file = open_locked(path);
  if (!file) return std::unexpected(file.error());
  const auto end = size_of(*file, path);
  if (!end) return std::unexpected(end.error());
  char last = '\n';
  if (*end > 0 && ::pread(file->get(), &last, 1, *end - 1) != 1) {
    return fail_errno(errno, "read " + path.string());
  }
  const std::string line = (last == '\n' ? "" : "\n") + to_hex(id) + "\n";
  return write_at(*file, as_bytes(line), *end, path);
}

// Answers how long the file was.
Result<std::uintmax_t> append(const fs::path& path, const Slot& slot) {
  auto file = open_locked(path);
  if (!file) return std::unexpected(file.error());
  const auto end = size_of(*file, path);
  if (!end) return std::unexpected(end.error());
  constexpr auto size = static_cast<off_t>(slot_bytes);
  auto written = write_at(*file, slot, (*end + size - 1) / size * size, path);
  if (!written) return std::unexpected(written.error());
  return static_cast<std::uintmax_t>(*end);
}

Result<void> overwrite(const fs::path& path, const UserKeyId& id) {
  auto file = open_locked(path);
  if (!file) return std::unexpected(file.error());
  auto bytes = read_whole_file(path);
  if (!bytes) return std::unexpected(bytes.error());
  const WipedAtEnd wiped(*bytes);
  for (std::size_t at = slot_bytes; at + slot_bytes <= bytes->size(); at += slot_bytes) {
    if (!std::ranges::equal(Bytes(*bytes).subspan(at, id.size()), id)) continue;
    auto written = write_at(*file, Slot{}, static_cast<off_t>(at), path);
    if (!written) return written;
  }
  return {};
}

PersistentSet<UserKeyId> ids_in(std::string_view ledger) {
  PersistentSet<UserKeyId> ids;
  while (!ledger.empty()) {
    const std::string_view line = ledger.substr(0, ledger.find('\n'));
    ledger.remove_prefix(std::min(line.size() + 1, ledger.size()));
    UserKeyId id;
    if (from_hex(line, id)) ids.insert(id);
  }
  return ids;
}

// 0, or why not.
int link_file(const fs::path& from, const fs::path& to) {
  return ::link(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

bool cannot_be_linked(int error) {
  return error == EXDEV || error == EPERM || error == EMLINK || error == EOPNOTSUPP;
}

}  // namespace

Result<std::unique_ptr<UserKeys>> UserKeys::open(const fs::path& folder) {
  std::unique_ptr<UserKeys> keys(new UserKeys(folder / user_keys_folder));
  if (auto read = keys->read(); !read) return std::unexpected(read.error());
  return keys;
}

Result<void> UserKeys::read() {
  auto ledger = read_if_there(ledger_file(folder_));
  if (!ledger) return std::unexpected(ledger.error());
  auto bytes = read_if_there(keys_file(folder_));
  if (!bytes) return std::unexpected(bytes.error());
  const WipedAtEnd wiped(*bytes);
  Result<void> checked;
  if (!ledger->empty()) {
    checked = check_title(as_text(*ledger), ledger_title, ledger_file(folder_));
  }
  if (checked && !bytes->empty()) {
    checked = check_title(as_text(*bytes), keys_title, keys_file(folder_));
  }
  if (!checked) return checked;
  Known known{.keys = {}, .destroyed = ids_in(as_text(*ledger))};
  for (std::size_t at = slot_bytes; at + slot_bytes <= bytes->size(); at += slot_bytes) {
    const Bytes slot = Bytes(*bytes).subspan(at, slot_bytes);
    const UserKeyId id = *sixteen_bytes(slot.first(sizeof(UserKeyId)));
    if (!is_key(slot) || known.destroyed.contains(id)) continue;
    auto key = std::make_shared<EncryptionKey>();
    std::ranges::copy(slot.subspan(id.size(), key->bytes.size()), key->bytes.begin());
    known.keys.set(id, std::move(key));
  }
  ledger_bytes_ = ledger->size();
  keys_bytes_ = bytes->size();
  known_.replace(std::make_shared<const Known>(std::move(known)));
  ++generation_;
  return {};
}

Result<void> UserKeys::make_files() const {
  Slot head{};
  std::ranges::copy(as_bytes(first_line(keys_title)), head.begin());
  const std::string ledger_head = first_line(ledger_title);
  auto made = make_if_missing(ledger_file(folder_), as_bytes(ledger_head));
  return made ? make_if_missing(keys_file(folder_), head) : made;
}

Result<void> UserKeys::add(const UserKeyId& id, std::shared_ptr<const EncryptionKey> key) {
  if (auto made = make_files(); !made) return made;
  Slot slot = slot_of(id, *key);
  const WipedAtEnd wiped(slot);
  const auto before = append(keys_file(folder_), slot);
  if (!before) return std::unexpected(before.error());
  // What others have added meanwhile is still to be read.
  const bool is_next = std::max<std::uintmax_t>(keys_bytes_, slot_bytes) == *before;
  if (is_next) keys_bytes_ = *before + slot_bytes;
  Known known = *known_.take();
  known.keys.set(id, std::move(key));
  known_.replace(std::make_shared<const Known>(std::move(known)));
  return {};
}

Result<UserKeyId> UserKeys::create() {
  const std::lock_guard guard(writing_);
  UserKeyId id;
  fill_random(id);
  auto key = std::make_shared<EncryptionKey>();
  fill_random(key->bytes);
  if (auto added = add(id, std::move(key)); !added) return std::unexpected(added.error());
  return id;
}

Result<void> UserKeys::bring(const UserKeyId& id, const EncryptionKey& key) {
  const std::lock_guard guard(writing_);
  if (is_destroyed(id)) return fail(ErrorCode::refused, "the key was destroyed, and stays so");
  if (find(id) != nullptr) return {};
  auto added = add(id, std::make_shared<const EncryptionKey>(key));
  ++generation_;
  if (!added) return added;
  // Who shares the files may have destroyed it since they were read here, and has then looked for
  // it before it came; who enters it later overwrites it, as it is there.
  const auto ledger = read_if_there(ledger_file(folder_));
  if (!ledger) return std::unexpected(ledger.error());
  if (!ids_in(as_text(*ledger)).contains(id)) return {};
  if (auto gone = overwrite(keys_file(folder_), id); !gone) return gone;
  if (auto known = read(); !known) return known;
  return fail(ErrorCode::refused, "the key was destroyed, and stays so");
}

std::shared_ptr<const EncryptionKey> UserKeys::find(const UserKeyId& id) const {
  const auto known = known_.take();
  const auto* key = known->keys.find(id);
  return key == nullptr ? nullptr : *key;
}

Result<std::shared_ptr<const EncryptionKey>> UserKeys::need(const UserKeyId& id) const {
  if (auto key = find(id)) return key;
  if (is_destroyed(id)) return fail(ErrorCode::refused, "the user was forgotten");
  return fail(ErrorCode::not_found, "the key of the user is not in the folder of the log",
              "bring it with `almanac context import-keys FILE`, or forget the user");
}

bool UserKeys::is_destroyed(const UserKeyId& id) const {
  return known_.take()->destroyed.contains(id);
}

Result<void> UserKeys::destroy(const UserKeyId& id) {
  const std::lock_guard guard(writing_);
  auto done = make_files();
  Known known = *known_.take();
  if (done && !known.destroyed.contains(id)) done = enter(ledger_file(folder_), id);
  if (!done) return done;
  known.destroyed.insert(id);
  known.keys.erase(id);
  known_.replace(std::make_shared<const Known>(std::move(known)));
  ++generation_;
  return overwrite(keys_file(folder_), id);
}

Result<void> UserKeys::destroy_again(const PersistentSet<UserKeyId>& ids) {
  auto bytes = read_if_there(keys_file(folder_));
  if (!bytes) return std::unexpected(bytes.error());
  const WipedAtEnd wiped(*bytes);
  for (std::size_t at = slot_bytes; at + slot_bytes <= bytes->size(); at += slot_bytes) {
    const UserKeyId id = *sixteen_bytes(Bytes(*bytes).subspan(at, sizeof(UserKeyId)));
    if (!ids.contains(id) && !is_destroyed(id)) continue;
    if (auto destroyed = destroy(id); !destroyed) return destroyed;
  }
  return {};
}

void UserKeys::look_again() {
  const std::lock_guard guard(writing_);
  const auto has_grown = [](const fs::path& file, std::uintmax_t bytes) {
    std::error_code missing;
    const auto now = fs::file_size(file, missing);
    return !missing && now != bytes;
  };
  // What cannot be read now was read once.
  if (has_grown(ledger_file(folder_), ledger_bytes_) || has_grown(keys_file(folder_), keys_bytes_))
    (void)read();
}

Result<void> share_user_keys(const fs::path& from, const fs::path& to) {
  const fs::path of = from / user_keys_folder;
  const fs::path in = to / user_keys_folder;
  auto ledger = read_if_there(ledger_file(of));
  if (!ledger) return std::unexpected(ledger.error());
  if (ledger->empty()) return {};
  if (auto made = make_folder(in); !made) return made;
  const int failed = link_file(ledger_file(of), ledger_file(in));
  if (cannot_be_linked(failed)) return write_new_file(ledger_file(in), *ledger, key_permissions);
  if (failed != 0) return fail_errno(failed, "link " + ledger_file(of).string());
  const int keys_failed = link_file(keys_file(of), keys_file(in));
  if (keys_failed != 0 && keys_failed != ENOENT) {
    return fail_errno(keys_failed, "link " + keys_file(of).string());
  }
  return sync_folder(in);
}

}  // namespace almanac
