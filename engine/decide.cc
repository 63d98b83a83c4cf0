#include <almanac/engine/decide.h>

#include <almanac/engine/audits.h>
#include <almanac/engine/backups.h>
#include <almanac/engine/carrying.h>
#include <almanac/engine/changes.h>
#include <almanac/engine/circuits.h>
#include <almanac/engine/components.h>
#include <almanac/engine/contexts.h>
#include <almanac/engine/custom_events.h>
#include <almanac/engine/engines.h>
#include <almanac/engine/gpu.h>
#include <almanac/engine/groups.h>
#include <almanac/engine/implementations.h>
#include <almanac/engine/leases.h>
#include <almanac/engine/memories.h>
#include <almanac/engine/models.h>
#include <almanac/engine/pools.h>
#include <almanac/engine/queues.h>
#include <almanac/engine/resource_limits.h>
#include <almanac/engine/reviews.h>
#include <almanac/engine/schedules.h>
#include <almanac/engine/tasks.h>

namespace almanac {

Result<Decision> decide(const State& state, const Command& command, const DecideContext& context) {
  return std::visit([&](const auto& one) { return decide_one(state, one, context); }, command);
}

}  // namespace almanac
