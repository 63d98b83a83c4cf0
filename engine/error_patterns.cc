#include <almanac/engine/error_patterns.h>

#include <almanac/engine/ascii_case.h>
#include <almanac/engine/limits.h>

#include <algorithm>
#include <optional>
#include <regex>
#include <set>
#include <utility>

namespace almanac {

struct ErrorPatterns::Compiled {
  std::vector<ErrorRule> rules;
  std::vector<std::optional<std::regex>> expressions;  // as many
};

namespace {

Result<std::optional<std::regex>> compile(const ErrorRule& rule) {
  const bool has_empty = std::ranges::any_of(rule.parts, &std::string::empty);
  if (rule.name.empty() || has_empty || (rule.parts.empty() && rule.regex.empty())) {
    return fail(ErrorCode::invalid, "a rule for errors needs a name and something to look for");
  }
  if (rule.regex.empty()) return std::nullopt;
  try {
    return std::regex(rule.regex,
                      std::regex::ECMAScript | std::regex::icase | std::regex::optimize);
  } catch (const std::regex_error& error) {
    return fail(ErrorCode::invalid,
                "the rule '" + rule.name + "' is no regular expression: " + error.what());
  }
}

}  // namespace

std::vector<ErrorRule> default_error_rules() {
  return {{.name = "borrow", .parts = {"BorrowMutError"}},
          {.name = "timeout",
           .parts = {"timeout", "time-out", "timed out", "deadline exceeded", "took too long"}},
          {.name = "connection",
           .parts = {"connection", "broken pipe", "unreachable", "no route to host",
                     "name resolution"}}};
}

ErrorPatterns::ErrorPatterns(std::shared_ptr<const Compiled> compiled)
    : compiled_(std::move(compiled)) {}

Result<ErrorPatterns> ErrorPatterns::make(std::vector<ErrorRule> rules) {
  if (rules.size() > limits::error_rules_max) {
    return fail(ErrorCode::invalid,
                "there can be " + std::to_string(limits::error_rules_max) + " rules for errors");
  }
  auto compiled = std::make_shared<Compiled>();
  std::set<std::string_view> names;
  for (const ErrorRule& rule : rules) {
    auto expression = compile(rule);
    if (!expression) return std::unexpected(expression.error());
    if (!names.insert(rule.name).second) {
      return fail(ErrorCode::invalid, "there are two rules '" + rule.name + "' for errors");
    }
    compiled->expressions.push_back(std::move(*expression));
  }
  compiled->rules = std::move(rules);
  return ErrorPatterns(std::move(compiled));
}

const std::vector<ErrorRule>& ErrorPatterns::rules() const { return compiled_->rules; }

std::vector<std::size_t> ErrorPatterns::matching(std::string_view text) const {
  text = text.substr(0, limits::error_text_bytes_max);
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < compiled_->rules.size(); ++i) {
    const auto& expression = compiled_->expressions[i];
    const bool follows = std::ranges::any_of(compiled_->rules[i].parts,
                                             [&](const std::string& part) {
                                               return contains_in_any_case(text, part);
                                             }) ||
                         (expression && std::regex_search(text.begin(), text.end(), *expression));
    if (follows) places.push_back(i);
  }
  return places;
}

}  // namespace almanac
