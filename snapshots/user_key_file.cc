#include <almanac/snapshots/user_key_file.h>

#include <almanac/log/hash.h>
#include <almanac/snapshots/user_keys.h>
#include <almanac/snapshots/whole_file.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {
namespace {

constexpr std::string_view carried_title = "almanac carried user keys, format ";
constexpr std::string_view key_word = "key ";
constexpr std::string_view destroyed_word = "destroyed ";
constexpr std::string_view digest_word = "blake2b ";
constexpr std::size_t id_digits = 2 * sizeof(UserKeyId);
constexpr std::size_t key_digits = 2 * sizeof(EncryptionKey);

// Text that is overwritten when it goes.
struct SecretText {
  std::string text;
  ~SecretText() { wipe(std::as_writable_bytes(std::span(text))); }
};

struct CarriedFile {
  PersistentMap<UserKeyId, std::shared_ptr<const EncryptionKey>> keys;
  PersistentSet<UserKeyId> destroyed;
};

std::string digest_line(std::string_view lines) {
  return std::string(digest_word) + to_hex(blake2b(as_bytes(lines))) + "\n";
}

std::unexpected<Error> is_none(const std::filesystem::path& file) {
  return fail(ErrorCode::corrupt, file.string() + " is no whole file of keys",
              "make it anew with `almanac context export-keys`");
}

// False where the line is none of ours.
bool take_line(std::string_view line, CarriedFile& carried) {
  UserKeyId id;
  if (line.starts_with(destroyed_word)) {
    line.remove_prefix(destroyed_word.size());
    if (!from_hex(line, id)) return false;
    carried.destroyed.insert(id);
    return true;
  }
  if (!line.starts_with(key_word)) return false;
  line.remove_prefix(key_word.size());
  auto key = std::make_shared<EncryptionKey>();
  const bool is_key = line.size() == id_digits + 1 + key_digits && line[id_digits] == ' ' &&
                      from_hex(line.substr(0, id_digits), id) &&
                      from_hex(line.substr(id_digits + 1), key->bytes);
  if (is_key) carried.keys.set(id, std::move(key));
  return is_key;
}

Result<CarriedFile> read_carried(const std::filesystem::path& file) {
  auto bytes = read_whole_file(file);
  if (!bytes) return std::unexpected(bytes.error());
  const WipedAtEnd wiped(*bytes);
  const std::string_view text = as_text(*bytes);
  std::string title(carried_title);
  title += "1\n";
  if (!text.starts_with(title)) {
    if (!text.starts_with(carried_title)) return is_none(file);
    return fail(ErrorCode::newer_format, file.string() + " is of a format that is newer",
                "use the version that wrote it, or a later one");
  }
  const auto digest_size = digest_line("").size();
  if (text.size() < title.size() + digest_size) return is_none(file);
  std::string_view lines = text.substr(0, text.size() - digest_size);
  if (text.substr(lines.size()) != digest_line(lines)) return is_none(file);
  CarriedFile carried;
  for (lines.remove_prefix(title.size()); !lines.empty();) {
    const auto end = lines.find('\n');
    if (end == lines.npos || !take_line(lines.substr(0, end), carried)) return is_none(file);
    lines.remove_prefix(end + 1);
  }
  return carried;
}

}  // namespace

Result<CarriedKeys> export_user_keys(const std::filesystem::path& folder,
                                     const std::filesystem::path& file) {
  const auto keys = UserKeys::open(folder);
  if (!keys) return std::unexpected(keys.error());
  const auto all = (*keys)->all();
  const auto destroyed = (*keys)->destroyed();
  if (all.empty() && destroyed.empty()) {
    return fail(ErrorCode::not_found, "there are no keys of users in " + folder.string(),
                "name the folder of the log that they are of: --dir");
  }
  SecretText lines;
  lines.text.reserve(100 + all.size() * 110 + destroyed.size() * 50 + 100);
  lines.text.append(carried_title).append("1\n");
  for (const auto& [id, key] : all) {
    const SecretText digits{to_hex(key->bytes)};
    lines.text.append(key_word).append(to_hex(id)).append(" ").append(digits.text).append("\n");
  }
  for (const UserKeyId& id : destroyed) {
    lines.text.append(destroyed_word).append(to_hex(id)).append("\n");
  }
  lines.text += digest_line(lines.text);
  constexpr auto own = std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;
  if (auto written = write_new_file(file, as_bytes(lines.text), own); !written) {
    return std::unexpected(written.error());
  }
  return CarriedKeys{.keys = all.size(), .destroyed = destroyed.size(), .refused = 0};
}

Result<CarriedKeys> import_user_keys(const std::filesystem::path& file,
                                     const std::filesystem::path& folder,
                                     const PersistentSet<UserKeyId>& destroyed) {
  const auto carried = read_carried(file);
  if (!carried) return std::unexpected(carried.error());
  const auto keys = UserKeys::open(folder);
  if (!keys) return std::unexpected(keys.error());
  CarriedKeys count;
  for (const UserKeyId& id : carried->destroyed) {
    if ((*keys)->is_destroyed(id)) continue;
    if (auto done = (*keys)->destroy(id); !done) return std::unexpected(done.error());
    ++count.destroyed;
  }
  for (const auto& [id, key] : carried->keys) {
    if ((*keys)->is_destroyed(id) || destroyed.contains(id)) {
      ++count.refused;
      continue;
    }
    if (auto brought = (*keys)->bring(id, *key); !brought) return std::unexpected(brought.error());
    ++count.keys;
  }
  return count;
}

}  // namespace almanac
