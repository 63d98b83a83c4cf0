#include <almanac/tools/choices.h>

#include <string>

namespace almanac {
namespace {

template <class Choice>
Result<Choice> choose(std::string_view what, std::string_view word, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) {
    const auto choice = static_cast<Choice>(i);
    if (name(choice) == word) return choice;
    all += (i == 0 ? "" : i + 1 < count ? ", " : " or ") + std::string(name(choice));
  }
  return fail(ErrorCode::invalid,
              "there is no " + std::string(what) + " '" + std::string(word) + "'", "write " + all);
}

}  // namespace

Result<DependencyCondition> condition_from(std::string_view word) {
  return choose<DependencyCondition>("condition", word, dependency_condition_count);
}

Result<RetryPolicy> retry_policy_from(std::string_view word) {
  return choose<RetryPolicy>("retry policy", word, retry_policy_count);
}

}  // namespace almanac
