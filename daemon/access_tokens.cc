#include <almanac/daemon/access_tokens.h>

#include <almanac/daemon/limits.h>
#include <almanac/daemon/secret_file.h>
#include <almanac/daemon/token_file.h>
#include <almanac/engine/diagnostics.h>
#include <almanac/log/hash.h>
#include <almanac/log/time_text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace almanac {
namespace {

constexpr std::string_view token_begin = "almanac_";
constexpr std::size_t token_random_bytes = 32;
constexpr std::size_t token_size = token_begin.size() + 2 * token_random_bytes;
constexpr std::size_t token_name_bytes_max = 64;

bool same_digest(const Digest& one, const Digest& other) {
  unsigned different = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    different |= std::to_integer<unsigned>(one[i] ^ other[i]);
  }
  return different == 0;
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

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  return text;
}

std::optional<AccessToken> token_by_hand(std::string_view line) {
  const std::size_t space = std::min(line.find(' '), line.size());
  const std::string_view token = line.substr(0, space);
  const auto scopes = scopes_from(trimmed(line.substr(space)));
  if (!is_access_token(token) || !scopes) return std::nullopt;
  AccessToken made{.scopes = *scopes, .digest = blake2b(as_bytes(token)), .by_hand = true};
  return made;
}

bool read_time(std::string_view text, Time& to) {
  const auto time = parse_time(text);
  if (time) to = *time;
  return time.has_value();
}

bool set_token_field(AccessToken& token, std::string_view key, std::string_view value) {
  if (key == "name") {
    token.name = value;
    return is_token_name(value);
  }
  if (key == "may") {
    const auto scopes = value.empty() ? std::nullopt : scopes_from(value);
    if (scopes) token.scopes = *scopes;
    return scopes.has_value();
  }
  if (key == "made") return read_time(value, token.made);
  if (key == "expires") return read_time(value, token.expires);
  return key == "hash" && from_hex(value, token.digest);
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
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

std::string text_of(AccessScopes scopes) {
  std::string text;
  for (int i = 1; i < access_scope_count; ++i) {
    const auto scope = static_cast<AccessScope>(i);
    if (scopes.contains(scope)) text += (text.empty() ? "" : ",") + std::string(name(scope));
  }
  return text;
}

bool is_token_name(std::string_view name) {
  return !name.empty() && name.size() <= token_name_bytes_max &&
         std::ranges::all_of(name, [](unsigned char c) {
           return c < 128 && (std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == '@');
         });
}

std::string make_access_token() {
  std::array<std::byte, token_random_bytes> bytes{};
  fill_random(bytes);
  return std::string(token_begin) + to_hex(bytes);
}

bool shows_access_token(std::string_view text) {
  for (auto at = text.find(token_begin); at != std::string_view::npos;
       at = text.find(token_begin, at + 1)) {
    if (is_access_token(text.substr(at, token_size))) return true;
  }
  return false;
}

std::optional<AccessToken> token_in_line(std::string_view line) {
  line = trimmed(line);
  if (!line.starts_with("name=")) return token_by_hand(line);
  AccessToken token{.digest = Digest()};
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view field = line.substr(0, end);
    const std::size_t equals = std::min(field.find('='), field.size());
    const std::string_view value = field.substr(std::min(equals + 1, field.size()));
    if (!set_token_field(token, field.substr(0, equals), value)) return std::nullopt;
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  if (token.digest == Digest() || token.scopes == AccessScopes()) return std::nullopt;
  return token;
}

std::string line_of(const AccessToken& token) {
  std::string line =
      "name=" + token.name + " may=" + text_of(token.scopes) + " made=" + format_second(token.made);
  if (token.expires != Time()) line += " expires=" + format_second(token.expires);
  return line + " hash=" + to_hex(token.digest);
}

Result<AccessTokens> AccessTokens::parse(std::string_view text, std::string_view file) {
  AccessTokens tokens;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    auto token = token_in_line(line);
    if (token && token->by_hand) token->name = fmt::format("line {}", number);
    const bool is_new = token && std::ranges::find(tokens.tokens_, token->name,
                                                   &AccessToken::name) == tokens.tokens_.end();
    if (!is_new || tokens.tokens_.size() == limits::tokens_max) {
      return fail(ErrorCode::invalid, fmt::format("{}:{}: this is no token", file, number),
                  "`almanac token` writes lines as they have to be; remove this one");
    }
    tokens.tokens_.push_back(std::move(*token));
  }
  return tokens;
}

Result<AccessTokens> AccessTokens::load(const std::filesystem::path& file) {
  auto text = read_secret_file(file, limits::token_file_bytes_max);
  if (!text) return std::unexpected(text.error());
  return parse(*text, file.string());
}

const AccessToken* AccessTokens::find(std::string_view token) const {
  return find(blake2b(as_bytes(token)));
}

const AccessToken* AccessTokens::find(const Digest& shown) const {
  const AccessToken* found = nullptr;
  for (const AccessToken& known : tokens_) {
    if (same_digest(known.digest, shown)) found = &known;
  }
  return found;
}

Result<std::shared_ptr<AccessTokenFile>> AccessTokenFile::open(std::filesystem::path file) {
  if (auto made = make_token_file(file); !made) return std::unexpected(made.error());
  auto opened = std::make_shared<AccessTokenFile>(std::move(file));
  const auto stamp = opened->stamp();
  auto tokens = AccessTokens::load(opened->file_);
  if (!tokens) return std::unexpected(tokens.error());
  opened->seen_ = stamp.value_or(Stamp());
  opened->tokens_ = std::make_shared<const AccessTokens>(std::move(*tokens));
  return opened;
}

std::optional<AccessTokenFile::Stamp> AccessTokenFile::stamp() const {
  struct stat found{};
  if (::stat(file_.c_str(), &found) != 0) return std::nullopt;
  return Stamp{.inode = found.st_ino,
               .changed_ns = nanoseconds(found.st_ctim),
               .written_ns = nanoseconds(found.st_mtim),
               .bytes = found.st_size};
}

std::shared_ptr<const AccessTokens> AccessTokenFile::now() {
  std::lock_guard guard(mutex_);
  const Stamp stamp = this->stamp().value_or(Stamp());
  if (stamp == seen_) return tokens_;
  seen_ = stamp;
  if (stamp == Stamp()) {
    tokens_ = std::make_shared<const AccessTokens>();
    warn("the file of tokens has gone: nobody is let in by TCP", {{"file", file_.string()}});
    return tokens_;
  }
  auto tokens = AccessTokens::load(file_);
  if (tokens) {
    tokens_ = std::make_shared<const AccessTokens>(std::move(*tokens));
  } else {
    warn("tokens stay as they were: " + describe(tokens.error()));
  }
  return tokens_;
}

}  // namespace almanac
