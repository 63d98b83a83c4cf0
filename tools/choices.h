// Words that are typed for one of a few things.
#pragma once

#include <almanac/engine/task_spec.h>
#include <almanac/log/error.h>
#include <almanac/log/events/schedule.h>
#include <almanac/log/events/task.h>
#include <almanac/tools/text.h>

#include <string>
#include <string_view>

namespace almanac {

// One of the first `count`, by the name that name() gives it. `what` is what they are. Errors:
// invalid; the next step lists what there is.
template <class Choice>
[[nodiscard]] Result<Choice> choose(std::string_view what, std::string_view word, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) {
    const auto choice = static_cast<Choice>(i);
    if (name(choice) == word) return choice;
    all += (i == 0 ? "" : i + 1 < count ? ", " : " or ") + std::string(name(choice));
  }
  return fail(ErrorCode::invalid, "there is no " + std::string(what) + " '" + printable(word) + "'",
              "write " + all);
}

[[nodiscard]] Result<DependencyCondition> condition_from(std::string_view word);
[[nodiscard]] Result<RetryPolicy> retry_policy_from(std::string_view word);
[[nodiscard]] Result<UniqueUntil> unique_until_from(std::string_view word);
[[nodiscard]] Result<OnConflict> on_conflict_from(std::string_view word);
[[nodiscard]] Result<MissedPolicy> missed_policy_from(std::string_view word);
[[nodiscard]] Result<OverlapPolicy> overlap_policy_from(std::string_view word);

}  // namespace almanac
