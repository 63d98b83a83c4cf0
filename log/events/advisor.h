// The events of the advisor domain as C++ sees them: programs that say which of the ready tasks
// should begin first. What was begun on advice says so (TaskStarted::advisor).
#pragma once

#include <cstdint>
#include <string_view>

namespace almanac {

// Why an answer of an advisor is no use.
enum class AdvisorFault : std::uint8_t {
  unavailable,  // none of its processes could be had
  timed_out,
  ended,           // its process has ended
  protocol,        // it wrote something else than one answer to what was asked
  refused,         // it has answered with an error
  malformed,       // the answer is not of the shape that was asked for
  late,            // it is the answer to an older request
  wrong_request,   // … to one that was never made
  too_many,        // it names more tasks than there were
  unknown_task,    // … one that was not among them
  duplicate_task,  // … one twice
  wrong_scores,    // scores are not numbers, one for each task, that never rise
};
inline constexpr int advisor_fault_count = 12;
[[nodiscard]] std::string_view name(AdvisorFault fault);

// From now on the built-in order decides, or nothing begins until it advises again.
struct AdvisorFellBack {
  std::string_view advisor;
  AdvisorFault fault = AdvisorFault::unavailable;  // of the last attempt
  std::uint32_t attempts = 0;                      // that failed in a row
  std::string_view evidence;                       // what was last wrong
  bool holds_back = false;                         // nothing begins without it
};

// It advises from now on, for the first time of this engine or again.
struct AdvisorReturned {
  std::string_view advisor;
};

}  // namespace almanac
