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

void add_repository(OptionSet& options, NamedRepository& repository) {
  options.text("-r,--repository", repository.folder, {"FOLDER", "Where the snapshots are"});
  options.require("--repository");
  add_keys(options, repository);
}

void add_keys(OptionSet& options, NamedRepository& repository) {
  options.text("--key", repository.key, {"FILE", "The key it is encrypted with"});
  options.texts("--trust", repository.trusted,
                {"FILE",
                 "A public key: refuse snapshots that it did not\nsign; may be repeated for others "
                 "that may have"});
}

void add_signing(OptionSet& options, NamedRepository& repository) {
  options.text(
      "--sign-with", repository.signing_key,
      {"FILE", "Sign what is added with this key, and build on\nnothing that is not trusted"});
}

Result<RepositoryKeys> read_keys(const NamedRepository& repository) {
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
  return keys;
}

Result<Repository> open_repository(const NamedRepository& repository, Access access,
                                   std::chrono::milliseconds wait_max) {
  auto keys = read_keys(repository);
  if (!keys) return std::unexpected(keys.error());
  return Repository::open(repository.folder, access, std::move(*keys), wait_max);
}

}  // namespace almanac
