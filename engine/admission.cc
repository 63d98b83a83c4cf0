#include <almanac/engine/admission.h>

#include <algorithm>
#include <string>

namespace almanac {
namespace {

std::string seconds_text(Duration duration) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  const std::string fraction = std::to_string(1'000 + milliseconds % 1'000).substr(1);
  return std::to_string(milliseconds / 1'000) + "." + fraction + " s";
}

}  // namespace

Result<void> check_admission(const State& state, const TaskSpec& spec, Time now) {
  const auto queue = state.names.find(spec.queue);
  const bool by_deadline =
      queue && state.tasks.ranking.policy(*queue).kind == QueuePolicy::deadline;
  if (!by_deadline || spec.deadline == Time()) return {};
  const Time begin = std::max(now, spec.run_at);
  if (begin <= spec.deadline && spec.estimate <= spec.deadline - begin) return {};
  const std::string estimate = spec.estimate > Duration(0)
                                   ? "takes " + seconds_text(spec.estimate) + " by its estimate"
                                   : "has no estimate and is taken to need no time";
  const std::string left = begin <= spec.deadline ? seconds_text(spec.deadline - begin) + " before"
                                                  : seconds_text(begin - spec.deadline) + " after";
  return fail(ErrorCode::refused,
              "it cannot make its deadline: it could begin " + left + " it, and " + estimate,
              "give it a later deadline, or another queue");
}

}  // namespace almanac
