// Who may do what by TCP: the tokens of one file, of which only digests stay in memory.
//
//   # of the reports' server
//   almanac_4f…c1 read
//   almanac_90…7d read,submit,work
//
// A line is a token and what it may; without a word it may everything. Never logged, never shown.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <filesystem>
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

// A value; any thread may ask it.
class AccessTokens {
 public:
  // The file is made, with one token that may everything, where it is missing. Errors: invalid (a
  // line that is none, no token, or too many), refused (others may read the file), io.
  [[nodiscard]] static Result<AccessTokens> load(const std::filesystem::path& file);

  // What who shows it may; none = nobody has it. Looks at every token to its end, whatever is
  // shown: how long that takes says nothing of them.
  [[nodiscard]] std::optional<AccessScopes> find(std::string_view token) const;
  [[nodiscard]] std::size_t size() const { return tokens_.size(); }

 private:
  struct Known {
    Digest digest;
    AccessScopes scopes;
  };
  std::vector<Known> tokens_;
};

// "almanac_" and 64 hexadecimal digits, drawn by chance.
[[nodiscard]] std::string make_access_token();

}  // namespace almanac
