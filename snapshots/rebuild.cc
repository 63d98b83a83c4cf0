#include <almanac/snapshots/rebuild.h>

#include <string>
#include <utility>

namespace almanac {

Result<Position> last_position(const Log& log, std::optional<Position> through) {
  auto tail = log.tail();
  if (!tail) return std::unexpected(tail.error());
  if (through.value_or(Position()) <= tail->last) return through.value_or(tail->last);
  return fail(ErrorCode::not_found, "the log ends at position " + std::to_string(tail->last.value) +
                                        ", before " + std::to_string(through->value));
}

Result<State> rebuild(const Log& log, RebuildOptions options) {
  auto last = last_position(log, options.through);
  if (!last) return std::unexpected(last.error());
  State state = std::move(options.start);
  ALMANAC_CHECK(state.position <= *last);
  if (state.position == *last) return state;
  auto read = log.read(state.position.next(), [&](const RecordedEvent& event) -> Result<bool> {
    if (event.position != state.position.next()) return false;
    if (options.stop.stop_requested()) {
      return fail(ErrorCode::stopped, "it was stopped before the state was rebuilt");
    }
    fold_into(state, event);
    if (options.visit) options.visit(state);
    return state.position < *last;
  });
  if (!read) return std::unexpected(read.error());
  if (state.position == *last) return state;
  auto first = log.first();
  if (!first) return std::unexpected(first.error());
  return fail(ErrorCode::refused,
              "the log begins at position " + std::to_string(first->value) +
                  ": what happened before was removed",
              "its state can only be rebuilt from a checkpoint");
}

}  // namespace almanac
