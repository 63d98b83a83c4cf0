#include <almanac/snapshots/key_file.h>

#include <almanac/log/hash.h>
#include <almanac/snapshots/limits.h>
#include <almanac/snapshots/whole_file.h>

#include <algorithm>
#include <span>
#include <string>
#include <system_error>
#include <utility>

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr fs::perms owner_only = fs::perms::owner_read | fs::perms::owner_write;
constexpr fs::perms for_all = owner_only | fs::perms::group_read | fs::perms::others_read;
constexpr fs::perms of_others = fs::perms::group_all | fs::perms::others_all;
constexpr std::string_view key_format_text = ", format 1\n";

// What the file of a key begins with.
template <class Key>
constexpr std::string_view kind_of;
template <>
constexpr std::string_view kind_of<EncryptionKey> = "encryption key";
template <>
constexpr std::string_view kind_of<SigningKey> = "signing key";
template <>
constexpr std::string_view kind_of<PublicKey> = "public key";

std::span<std::byte> bytes_of(std::string& text) { return std::as_writable_bytes(std::span(text)); }

// The text of a key, which may be secret.
template <class Key>
class KeyText {
 public:
  explicit KeyText(const Key& key) {
    std::string digits = to_hex(key.bytes);
    const WipedAtEnd wiped(bytes_of(digits));
    const std::string head = "almanac " + std::string(kind_of<Key>) + std::string(key_format_text);
    text_.reserve(head.size() + digits.size() + 1);
    text_.append(head).append(digits).append("\n");
  }
  ~KeyText() { wipe(bytes_of(text_)); }
  KeyText(const KeyText&) = delete;
  KeyText& operator=(const KeyText&) = delete;

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] Bytes bytes() const { return as_bytes(text_); }

 private:
  std::string text_;
};

// Where secrets are handed to services, their names are links.
Result<fs::path> find(const fs::path& file) {
  std::error_code error;
  fs::path found = fs::canonical(file, error);
  if (!error) return found;
  if (error != std::errc::no_such_file_or_directory) {
    return fail_errno(error.value(), "open " + file.string());
  }
  return fail(ErrorCode::not_found, "there is no key " + file.string(),
              "`almanac snapshot create-key` makes one");
}

Result<void> check_secret(const fs::path& file) {
  std::error_code error;
  const fs::perms mode = fs::status(file, error).permissions();
  if (!error && (mode & of_others) == fs::perms::none) return {};
  return fail(ErrorCode::refused, file.string() + " can be read or changed by others",
              "chmod 600 " + file.string());
}

// What is wrong with a text that is not that of such a key.
Error no_key(std::string_view text, std::string_view kind) {
  const std::string what = "it is no " + std::string(kind);
  const auto says = [&](std::string_view other, std::string_view behind) {
    return text.starts_with("almanac " + std::string(other) + std::string(behind));
  };
  const bool has_line = text.find('\n') != text.npos;
  if (has_line && says(kind, ", format ") && !says(kind, key_format_text)) {
    return {ErrorCode::newer_format, "its format is newer than this version of Almanac knows",
            "use the version that wrote it, or a later one"};
  }
  for (std::string_view other : {kind_of<EncryptionKey>, kind_of<SigningKey>, kind_of<PublicKey>}) {
    if (other == kind || !says(other, key_format_text)) continue;
    return {ErrorCode::invalid, what + ", it says \"" + std::string(other) + "\"",
            "name the file of the " + std::string(kind)};
  }
  return {ErrorCode::corrupt, what, "take a copy of it that is whole"};
}

template <class Key>
Result<Key> read(const fs::path& file) {
  const auto found = find(file);
  if (!found) return std::unexpected(found.error());
  auto bytes = read_whole_file(*found, limits::kibibyte);
  if (!bytes) return std::unexpected(bytes.error());
  const WipedAtEnd wiped(*bytes);
  const std::string_view text = as_text(*bytes);
  Key key;
  const auto digits = text.substr(std::min(text.find('\n'), text.size()));
  if (digits.size() > 1 && from_hex(digits.substr(1, digits.size() - 2), key.bytes) &&
      text == KeyText(key).text()) {
    return key;
  }
  Error error = no_key(text, kind_of<Key>);
  error.message = file.string() + ": " + error.message;
  return std::unexpected(std::move(error));
}

template <class Key>
Result<Key> read_secret(const fs::path& file) {
  auto key = read<Key>(file);
  if (!key) return key;
  auto secret = check_secret(file);
  if (!secret) return std::unexpected(secret.error());
  return key;
}

}  // namespace

Result<EncryptionKey> create_encryption_key(const fs::path& file) {
  EncryptionKey key;
  fill_random(key.bytes);
  auto written = write_new_file(file, KeyText(key).bytes(), owner_only);
  if (!written) return std::unexpected(written.error());
  return key;
}

// The public key first: it can go again, since nothing was signed yet.
Result<PublicKey> create_signing_key(const fs::path& file) {
  SigningKey key;
  fill_random(key.bytes);
  const PublicKey open = public_key_of(key);
  fs::path open_file = file;
  open_file += ".pub";
  auto written = write_new_file(open_file, KeyText(open).bytes(), for_all);
  if (!written) return std::unexpected(written.error());
  written = write_new_file(file, KeyText(key).bytes(), owner_only);
  if (written) return open;
  std::error_code ignored;
  fs::remove(open_file, ignored);
  return std::unexpected(written.error());
}

Result<EncryptionKey> read_encryption_key(const fs::path& file) {
  return read_secret<EncryptionKey>(file);
}
Result<SigningKey> read_signing_key(const fs::path& file) { return read_secret<SigningKey>(file); }
Result<PublicKey> read_public_key(const fs::path& file) { return read<PublicKey>(file); }

}  // namespace almanac
