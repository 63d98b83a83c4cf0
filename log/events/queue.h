// The events of the queue domain as C++ sees them.
#pragma once

#include <almanac/log/events/lists.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <string_view>

namespace almanac {

// Which of a queue's ready tasks runs next. The numbers are in logs and digests.
enum class QueuePolicy : std::uint8_t {
  priority,  // the highest first, among equals the one submitted first
  fifo,      // the one submitted first
  urgency,   // the highest score first
  deadline,  // the earliest first
  fair,      // shared between owners, by their weights
};
inline constexpr int queue_policy_count = 5;
[[nodiscard]] std::string_view name(QueuePolicy policy);

// What a part of the score counts, or an owner's share.
struct QueueWeight {
  std::string_view name;
  std::int32_t weight = 0;
};
using QueueWeightListView = NumberedNamesView<QueueWeight, std::int32_t>;

// How long tasks are kept from their end on, by how they ended; 0 = as engines are told.
struct QueueRetention {
  Duration succeeded{0};
  Duration failed{0};
  Duration cancelled{0};
  bool operator==(const QueueRetention&) const = default;
};
inline constexpr Duration retained_for_ever = Duration::max();

// All settings of the queue from now on. What a policy makes of them is projections/policy.h.
struct QueueConfigured {
  std::string_view queue;
  std::uint32_t slots = 0;  // attempts that may run at once; 0 = as many as the engine has
  QueuePolicy policy = QueuePolicy::priority;
  Duration ageing{0};      // a wait that counts as much as one point; 0 = waiting counts nothing
  Duration window{0};      // before a deadline, in which it presses
  Duration short_work{0};  // estimates up to this are short work
  QueueWeightListView weights;
  QueueRetention retention;
};

}  // namespace almanac
