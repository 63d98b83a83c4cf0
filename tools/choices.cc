#include <almanac/tools/choices.h>

namespace almanac {

Result<DependencyCondition> condition_from(std::string_view word) {
  return choose<DependencyCondition>("condition", word, dependency_condition_count);
}

Result<RetryPolicy> retry_policy_from(std::string_view word) {
  return choose<RetryPolicy>("retry policy", word, retry_policy_count);
}

Result<UniqueUntil> unique_until_from(std::string_view word) {
  return choose<UniqueUntil>("state to be unique until", word, unique_until_count);
}

Result<OnConflict> on_conflict_from(std::string_view word) {
  return choose<OnConflict>("answer to a conflict", word, on_conflict_count);
}

Result<MissedPolicy> missed_policy_from(std::string_view word) {
  return choose<MissedPolicy>("policy for missed times", word, missed_policy_count);
}

Result<OverlapPolicy> overlap_policy_from(std::string_view word) {
  return choose<OverlapPolicy>("policy for overlap", word, overlap_policy_count);
}

}  // namespace almanac
