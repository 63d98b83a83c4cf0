#include <almanac/tools/named_repository.h>

#include <almanac/snapshots/key_file.h>

#include <utility>

namespace almanac {
namespace {

// Reads a key, where one is named.
template <class Key>
Result<std::optional<Key>> read(const std::string& file,
                                Result<Key> (*read_key)(const std::filesystem::path&)) {
  if (file.empty()) return std::nullopt;
  auto key = read_key(file);
  if (!key) return std::unexpected(key.error());
  return *key;
}

}  // namespace

Result<Repository> open_repository(const NamedRepository& repository, Access access,
                                   std::chrono::milliseconds wait_max) {
  RepositoryKeys keys;
  auto encryption = read(repository.key, read_encryption_key);
  if (!encryption) return std::unexpected(encryption.error());
  keys.encryption = *encryption;
  auto signing = read(repository.signing_key, read_signing_key);
  if (!signing) return std::unexpected(signing.error());
  keys.signing = *signing;
  for (const std::string& file : repository.trusted) {
    auto key = read_public_key(file);
    if (!key) return std::unexpected(key.error());
    keys.trusted.push_back(*key);
  }
  return Repository::open(repository.folder, access, std::move(keys), wait_max);
}

}  // namespace almanac
