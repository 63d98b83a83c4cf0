// The advisors of engines: whether each advises, and what was wrong with it when it did not.
#pragma once

#include <almanac/log/events/advisor.h>
#include <almanac/log/events/task.h>
#include <almanac/log/types.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/state_hasher.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace almanac {

enum class AdvisorMode : std::uint8_t {
  absent,  // of an engine that has stopped, or it has not been heard yet
  advising,
  fallen_back,   // the built-in order decides
  holding_back,  // nothing begins until it advises again
};
inline constexpr int advisor_mode_count = 4;
[[nodiscard]] std::string_view name(AdvisorMode mode);

struct AdvisorRecord {
  AdvisorMode mode = AdvisorMode::absent;
  std::uint64_t returned = 0;
  std::array<std::uint64_t, advisor_fault_count> fell_back{};  // by what was last wrong
  std::uint64_t begun = 0;                                     // attempts that began on its advice
  Position changed;                                            // the last of its own events
  Time changed_at;
  Position trouble;  // the last AdvisorFellBack; none = there was none
  bool operator==(const AdvisorRecord&) const = default;

  [[nodiscard]] std::uint64_t fell_back_for(AdvisorFault fault) const {
    return fell_back[static_cast<std::size_t>(fault)];
  }
};

// A value; O(1) copy. Changed by fold() alone.
struct Advisors {
  PersistentMap<NameId, AdvisorRecord> all;

  void hash_into(StateHasher& hasher) const;
};

struct EventPlace;

// Both change nothing, and answer false, where the advisor is in that mode already.
bool fold(Advisors& advisors, Names& names, const EventPlace& place, const AdvisorFellBack& event);
bool fold(Advisors& advisors, Names& names, const EventPlace& place, const AdvisorReturned& event);
// An attempt has begun on its advice.
void count_begun(Advisors& advisors, Names& names, std::string_view advisor);
// They went with the engine that had them.
void forget_advisors(Advisors& advisors);
// The one that nothing begins without for now. O(advisors).
[[nodiscard]] std::optional<NameId> held_back_by(const Advisors& advisors);

}  // namespace almanac
