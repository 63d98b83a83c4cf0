#include <almanac/tools/named_repository.h>

#include <almanac/tools/units.h>

#include <almanac/snapshots/key_file.h>

#include <utility>

namespace almanac {
namespace {

constexpr auto every_min = std::chrono::milliseconds(10);
constexpr auto every_max = std::chrono::hours(1);

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

Result<std::chrono::milliseconds> parse_interval(const std::string& option,
                                                 const std::string& text) {
  const auto every = parse_duration(text);
  if (!every) return std::unexpected(every.error());
  if (*every < every_min || *every > every_max) {
    return fail(
        ErrorCode::invalid, option + " " + text + " is not between 10ms and 1h",
        "the shorter, the less is lost with the log, and the more often the disk is synced");
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(*every);
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
