#include <almanac/tools/choices.h>

namespace almanac {

Result<DependencyCondition> condition_from(std::string_view word) {
  return choose<DependencyCondition>("condition", word, dependency_condition_count);
}

Result<RetryPolicy> retry_policy_from(std::string_view word) {
  return choose<RetryPolicy>("retry policy", word, retry_policy_count);
}

}  // namespace almanac
