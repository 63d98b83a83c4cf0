#include <almanac/tools/pattern.h>

#include <regex.h>

#include <algorithm>
#include <array>
#include <utility>

namespace almanac {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

struct Pattern::Expression {
  ~Expression() {
    if (compiled) ::regfree(&expression);
  }
  regex_t expression{};
  bool compiled = false;
};

Pattern::Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::make(std::string_view text, const PatternOptions& options) {
  if (text.empty() || text.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::invalid, "the pattern is empty", "name the text to look for");
  }
  Pattern pattern;
  pattern.text_ = text;
  pattern.ignore_case_ = options.ignore_case;
  if (!options.extended) return pattern;
  pattern.expression_ = std::make_unique<Expression>();
  auto& expression = pattern.expression_->expression;
  int flags = REG_EXTENDED | REG_NEWLINE | REG_NOSUB | (options.ignore_case ? REG_ICASE : 0);
  if (int code = ::regcomp(&expression, pattern.text_.c_str(), flags); code != 0) {
    std::array<char, 128> reason;
    ::regerror(code, &expression, reason.data(), reason.size());
    return fail(ErrorCode::invalid,
                "'" + pattern.text_ + "' is not a regular expression: " + reason.data(),
                "put a backslash in front of what is meant as it stands, or leave out -E");
  }
  pattern.expression_->compiled = true;
  return pattern;
}

bool Pattern::is_in(std::string_view text) const {
  if (expression_) {
    std::array<regmatch_t, 1> place{};
    place[0].rm_so = 0;
    place[0].rm_eo = static_cast<regoff_t>(text.size());
    return ::regexec(&expression_->expression, text.data(), place.size(), place.data(),
                     REG_STARTEND) == 0;
  }
  if (!ignore_case_) return text.find(text_) != std::string_view::npos;
  return !std::ranges::search(text, text_, {}, lower, lower).empty();
}

}  // namespace almanac
