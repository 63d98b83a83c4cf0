#include <almanac/snapshots/restore_key.h>

#include <string>

namespace almanac {

Result<Position> find_key(const Repository& repository, const RestorePoint& point,
                          std::string_view key, const RestoreOptions& options) {
  const auto plan = plan_restore(repository, {.snapshot = point.snapshot, .moment = {}});
  if (!plan) return std::unexpected(plan.error());
  const Position first = plan->manifest.first();
  Position found;
  auto read = ArchivedLog(repository, plan->manifest)
                  .read(first, [&](const RecordedEvent& event) -> Result<bool> {
                    if (options.stop.stop_requested()) {
                      return fail(ErrorCode::stopped, "the search was stopped");
                    }
                    if (options.progress) options.progress({first, event.position, plan->at, 0});
                    if (event.event.idempotency_key == key) found = event.position;
                    return !found;
                  });
  if (!read) return std::unexpected(read.error());
  if (found) return found;
  return fail(ErrorCode::not_found,
              "no event from position " + std::to_string(first.value) + " to " +
                  std::to_string(plan->at.value) + ", where the archive ends, has the key '" +
                  std::string(key) + "'",
              "keys are compared letter by letter; name a position or a time instead");
}

}  // namespace almanac
