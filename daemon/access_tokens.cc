#include <almanac/daemon/access_tokens.h>

#include <almanac/daemon/limits.h>
#include <almanac/daemon/secret_file.h>
#include <almanac/log/file.h>
#include <almanac/log/hash.h>

#include <fmt/core.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace almanac {
namespace {

constexpr std::string_view token_begin = "almanac_";
constexpr std::size_t token_random_bytes = 32;
constexpr std::size_t token_size = token_begin.size() + 2 * token_random_bytes;

bool same_digest(const Digest& one, const Digest& other) {
  unsigned different = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    different |= std::to_integer<unsigned>(one[i] ^ other[i]);
  }
  return different == 0;
}

// What is being made is never there in part: whoever comes second finds it whole.
Result<void> make_token_file(const std::filesystem::path& file) {
  const std::string text = make_access_token() + "\n";
  const std::filesystem::path draft = file.string() + ".new";
  const FileDescriptor opened(
      ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!opened.valid() || ::fchmod(opened.get(), 0600) != 0 ||
      ::write(opened.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(opened.get()) != 0) {
    return fail_errno(errno, "make the file of tokens, " + file.string());
  }
  return rename_synced(draft, file);
}

bool is_access_token(std::string_view text) {
  std::array<std::byte, token_random_bytes> bytes{};
  return text.size() == token_size && text.starts_with(token_begin) &&
         from_hex(text.substr(token_begin.size()), bytes);
}

std::optional<AccessScope> scope_from(std::string_view word) {
  for (int i = 1; i < access_scope_count; ++i) {
    if (name(static_cast<AccessScope>(i)) == word) return static_cast<AccessScope>(i);
  }
  return std::nullopt;
}

std::optional<AccessScopes> scopes_from(std::string_view words) {
  if (words.empty()) return AccessScopes::all();
  AccessScopes scopes;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(','), words.size());
    const auto scope = scope_from(words.substr(0, end));
    if (!scope) return std::nullopt;
    scopes.insert(*scope);
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return scopes;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

}  // namespace

std::string_view name(AccessScope scope) {
  switch (scope) {
    case AccessScope::none: return "none";
    case AccessScope::read: return "read";
    case AccessScope::submit: return "submit";
    case AccessScope::work: return "work";
    case AccessScope::operate: return "operate";
  }
  return "none";
}

std::string make_access_token() {
  std::array<std::byte, token_random_bytes> bytes{};
  fill_random(bytes);
  return std::string(token_begin) + to_hex(bytes);
}

Result<AccessTokens> AccessTokens::load(const std::filesystem::path& file) {
  if (::access(file.c_str(), F_OK) != 0) {
    if (auto made = make_token_file(file); !made) return std::unexpected(made.error());
  }
  auto text = read_secret_file(file, limits::token_file_bytes_max);
  if (!text) return std::unexpected(text.error());
  AccessTokens tokens;
  std::string_view rest = *text;
  for (int number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string_view token = line.substr(0, space);
    const auto scopes = scopes_from(trimmed(line.substr(space)));
    if (!is_access_token(token) || !scopes || tokens.tokens_.size() == limits::tokens_max) {
      // Nothing of the line is said: it may hold a token.
      return fail(ErrorCode::invalid, fmt::format("{}:{}: this is no token", file.string(), number),
                  "write a token and, behind a space, what it may: read,submit,work,operate");
    }
    tokens.tokens_.push_back({blake2b(as_bytes(token)), *scopes});
  }
  if (!tokens.tokens_.empty()) return tokens;
  return fail(ErrorCode::invalid, file.string() + " has no token", "remove it: a new one is made");
}

std::optional<AccessScopes> AccessTokens::find(std::string_view token) const {
  const Digest shown = blake2b(as_bytes(token));
  std::optional<AccessScopes> found;
  for (const Known& known : tokens_) {
    if (same_digest(known.digest, shown)) found = known.scopes;
  }
  return found;
}

}  // namespace almanac
