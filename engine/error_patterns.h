// Kinds of errors that are known by their text.
#pragma once

#include <almanac/log/error.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// Followed by a text that has one of these in it, or in which the expression is found; whether in
// capitals or not. An expression costs ten times as much.
struct ErrorRule {
  std::string name;
  std::vector<std::string> parts = {};
  std::string regex = {};  // ECMAScript; empty = none
};

// borrow ("BorrowMutError"), timeout and connection.
[[nodiscard]] std::vector<ErrorRule> default_error_rules();

// Any thread.
class ErrorPatterns {
 public:
  // At most limits::error_rules_max. Errors: invalid (no name, nothing to look for, no such
  // expression, a name twice).
  [[nodiscard]] static Result<ErrorPatterns> make(std::vector<ErrorRule> rules);

  [[nodiscard]] const std::vector<ErrorRule>& rules() const;
  // The places of those that the text follows, of its first limits::error_text_bytes_max bytes.
  [[nodiscard]] std::vector<std::size_t> matching(std::string_view text) const;

 private:
  struct Compiled;
  explicit ErrorPatterns(std::shared_ptr<const Compiled> compiled);
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace almanac
