#include <almanac/snapshots/repository_head.h>

#include <almanac/log/hash.h>
#include <almanac/snapshots/limits.h>
#include <almanac/snapshots/whole_file.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace almanac {
namespace {

namespace fs = std::filesystem;
using Key = std::optional<EncryptionKey>;
using Id = std::array<std::byte, 16>;

constexpr const char* lock_file = "lock";
constexpr std::string_view format_text = "almanac repository, format ";
constexpr std::string_view plain_text = "almanac repository, format 1\n";
constexpr std::string_view encrypted_text = "almanac repository, format 2\nencrypted ";
constexpr const char* bring_back = "bring back this file from a copy of the repository";

Digest derived(std::string_view purpose, const Id& id, const EncryptionKey& key) {
  std::vector<std::byte> bytes(as_bytes(purpose).begin(), as_bytes(purpose).end());
  bytes.insert(bytes.end(), id.begin(), id.end());
  return keyed_blake2b(bytes, key);
}
EncryptionKey files_key(const Id& id, const EncryptionKey& key) {
  Digest bytes = derived("almanac repository files", id, key);
  const WipedAtEnd wiped(bytes);
  return {bytes};
}
// With the digest by which a key is known to be that of the repository.
std::string text_of(const Id& id, const EncryptionKey& key) {
  return std::string(encrypted_text) + to_hex(id) + " " +
         to_hex(derived("almanac repository key", id, key)) + "\n";
}

std::unexpected<Error> fail_in(const fs::path& path, ErrorCode code, const std::string& what,
                               std::string next_step) {
  return fail(code, path.string() + ": " + what, std::move(next_step));
}

Result<Key> open_encrypted(const fs::path& path, std::string_view text, const Key& key) {
  Id id;
  const auto rest = text.substr(encrypted_text.size());
  const bool has_id = from_hex(rest.substr(0, 2 * id.size()), id);
  if (!has_id || text.size() != text_of(id, {}).size()) {
    return fail_in(path, ErrorCode::corrupt, "it does not say how the repository is encrypted",
                   bring_back);
  }
  if (!key) {
    return fail_in(path, ErrorCode::refused, "the repository is encrypted",
                   "name the file of its key with --key");
  }
  if (text == text_of(id, *key)) return files_key(id, *key);
  return fail_in(path, ErrorCode::refused, "the key is not the one it was made with",
                 "name the file of that key with --key; should it be that, this file was changed");
}

}  // namespace

bool holds_nothing(const fs::path& folder) {
  const std::string unfinished = repository_head_file + std::string(unfinished_suffix);
  std::error_code none;
  const fs::directory_iterator entries(folder, none);
  return std::all_of(begin(entries), end(entries), [&](const auto& entry) {
    const auto name = entry.path().filename();
    return name == lock_file || name == unfinished;
  });
}

Result<Key> read_repository_head(const fs::path& folder, const Key& key) {
  const fs::path path = folder / repository_head_file;
  const auto bytes = read_whole_file(path, limits::kibibyte);
  if (!bytes && bytes.error().code == ErrorCode::not_found) {
    return fail(ErrorCode::not_found, "there is no repository in " + folder.string(),
                "`almanac snapshot create` makes one");
  }
  if (!bytes) return std::unexpected(bytes.error());
  const std::string_view text = as_text(*bytes);
  if (text.starts_with(encrypted_text)) return open_encrypted(path, text, key);
  if (text == plain_text) {
    if (!key) return Key();
    return fail_in(path, ErrorCode::refused, "the repository is not encrypted, and a key was given",
                   "leave the key out, or begin an encrypted repository in another folder");
  }
  const auto line = text.substr(0, text.find('\n') + 1);
  if (line.starts_with(format_text) && line != plain_text && !encrypted_text.starts_with(line)) {
    return fail_in(path, ErrorCode::newer_format, "its format is newer than this version knows",
                   "use the version of Almanac that made it, or a later one");
  }
  return fail_in(path, ErrorCode::corrupt, "it does not say that this is a repository", bring_back);
}

Result<Key> write_repository_head(const fs::path& folder, const Key& key) {
  if (!holds_nothing(folder)) {
    return fail(ErrorCode::refused, folder.string() + " holds something else and no repository",
                "name an empty folder, or one that does not exist");
  }
  Id id;
  fill_random(id);
  const std::string text = key ? text_of(id, *key) : std::string(plain_text);
  const std::array<Bytes, 1> pieces = {as_bytes(text)};
  auto written = write_whole_file(folder / repository_head_file, pieces);
  if (!written) return std::unexpected(written.error());
  return key ? Key(files_key(id, *key)) : Key();
}

}  // namespace almanac
