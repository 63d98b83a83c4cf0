// Who may do what by TCP: the tokens of one file, of which it holds digests and never a token.
//
//   name=ci may=read,submit made=2026-11-22T10:00:00Z hash=4f…c1
//   name=grafana may=read made=2026-11-22T10:00:00Z expires=2026-12-22T10:00:00Z hash=90…7d
//
// `almanac token` writes these lines; hash is the BLAKE2b-256 of the token. A line that somebody
// writes by hand, "almanac_4f…c1 read,submit", is taken too: a token, and what it may; without a
// word it may everything. Tokens are never logged, and shown once: when they are made.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

enum class AccessScope : std::uint8_t {
  none,    // whoever can reach the door
  read,    // what is known
  submit,  // new tasks, and changes of tasks
  work,    // leases
  operate  // queues, circuits, components
};
inline constexpr int access_scope_count = 5;
[[nodiscard]] std::string_view name(AccessScope scope);

class AccessScopes {
 public:
  [[nodiscard]] static AccessScopes all() {
    AccessScopes scopes;
    scopes.bits_ = 0xFF;
    return scopes;
  }
  void insert(AccessScope scope) { bits_ |= bit(scope); }
  [[nodiscard]] bool contains(AccessScope scope) const {
    return scope == AccessScope::none || (bits_ & bit(scope)) != 0;
  }
  bool operator==(const AccessScopes&) const = default;

 private:
  static unsigned bit(AccessScope scope) { return 1U << static_cast<unsigned>(scope); }
  unsigned bits_ = 0;
};
// "read,submit"; empty = all of them. None where a word is no scope.
[[nodiscard]] std::optional<AccessScopes> scopes_from(std::string_view words);
[[nodiscard]] std::string text_of(AccessScopes scopes);

// A value.
struct AccessToken {
  std::string name;  // of a line by hand: "line 3"
  AccessScopes scopes;
  Time made;     // none of a line by hand
  Time expires;  // none = never
  Digest digest;
  bool by_hand = false;  // its line has the token itself

  [[nodiscard]] bool has_expired(Time now) const { return expires != Time() && expires <= now; }
};

// What a name may be: 1 to 64 letters, digits, and - . _ @
[[nodiscard]] bool is_token_name(std::string_view name);
// A line of the file, with or without space around it; none where that is no token.
[[nodiscard]] std::optional<AccessToken> token_in_line(std::string_view line);
[[nodiscard]] std::string line_of(const AccessToken& token);

// A value; any thread may ask it.
class AccessTokens {
 public:
  // Of a text. Errors: invalid (a line that is none, a name that is there twice, too many); nothing
  // of the line is said, for it may hold a token.
  [[nodiscard]] static Result<AccessTokens> parse(std::string_view text, std::string_view file);
  // Errors: those of parse(), not_found, refused (others may read the file), io.
  [[nodiscard]] static Result<AccessTokens> load(const std::filesystem::path& file);

  // Whose token it is, expired or not; none = nobody's. Looks at every token to its end, whatever
  // is shown: how long that takes says nothing of them. The pointer lives as long as this.
  [[nodiscard]] const AccessToken* find(std::string_view token) const;
  // The same of a token that was seen before.
  [[nodiscard]] const AccessToken* find(const Digest& shown) const;
  [[nodiscard]] const std::vector<AccessToken>& all() const { return tokens_; }

 private:
  std::vector<AccessToken> tokens_;
};

// The tokens of a file as they are now: it is read again whenever it has changed, so that what was
// revoked is refused from then on. Any thread.
class AccessTokenFile {
 public:
  // An empty file is made where there is none. Errors: those of AccessTokens::load().
  [[nodiscard]] static Result<std::shared_ptr<AccessTokenFile>> open(std::filesystem::path file);
  explicit AccessTokenFile(std::filesystem::path file) : file_(std::move(file)) {}
  // Costs one look at the file's times. Of a file that has gone nobody is let in any more; one that
  // is wrong changes nothing and is a line of the log, once.
  [[nodiscard]] std::shared_ptr<const AccessTokens> now();
  [[nodiscard]] const std::filesystem::path& path() const { return file_; }

 private:
  struct Stamp {
    std::uint64_t inode = 0;
    std::int64_t changed_ns = 0;
    std::int64_t written_ns = 0;
    std::int64_t bytes = -1;
    bool operator==(const Stamp&) const = default;
  };
  [[nodiscard]] std::optional<Stamp> stamp() const;

  const std::filesystem::path file_;
  std::mutex mutex_;  // of all below
  Stamp seen_;
  std::shared_ptr<const AccessTokens> tokens_;
};

// "almanac_" and 64 hexadecimal digits, drawn by chance.
[[nodiscard]] std::string make_access_token();
// Whether there is one anywhere in a text.
[[nodiscard]] bool shows_access_token(std::string_view text);

}  // namespace almanac
