// What `almanac log grep` looks for in the texts of events.
#pragma once

#include <almanac/log/error.h>

#include <memory>
#include <string>
#include <string_view>

namespace almanac {

struct PatternOptions {
  bool extended = false;     // an extended regular expression of POSIX, else the text itself
  bool ignore_case = false;  // of ASCII letters
};

// A value that cannot be copied; one thread at a time. Regular expressions are those of the C
// library: what std::regex does with a long text can end the process, and payloads are long.
class Pattern {
 public:
  // Errors: invalid (not a regular expression; empty).
  [[nodiscard]] static Result<Pattern> make(std::string_view text, const PatternOptions& options);
  Pattern(Pattern&&) noexcept;
  ~Pattern();

  // In any line of `text`: ^ and $ stand for the ends of lines.
  [[nodiscard]] bool is_in(std::string_view text) const;

 private:
  struct Expression;
  Pattern();
  std::string text_;
  bool ignore_case_ = false;
  std::unique_ptr<Expression> expression_;
};

}  // namespace almanac
