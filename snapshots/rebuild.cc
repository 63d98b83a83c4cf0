#include <almanac/snapshots/rebuild.h>

#include <string>
#include <utility>

namespace almanac {

Result<State> rebuild(const Log& log, const RebuildOptions& options) {
  State state = options.start;
  ALMANAC_CHECK(!options.through || state.position <= *options.through);
  if (options.through && *options.through == state.position) return state;
  auto first = log.first();
  if (!first) return std::unexpected(first.error());
  if (*first > state.position.next()) {
    return fail(ErrorCode::refused,
                "the log begins at position " + std::to_string(first->value) +
                    ": what happened before was removed",
                "its state can only be rebuilt from a checkpoint");
  }
  auto read = log.read(state.position.next(), [&](const RecordedEvent& event) -> Result<bool> {
    fold_into(state, event);
    if (options.visit) options.visit(state);
    return !options.through || state.position < *options.through;
  });
  if (!read) return std::unexpected(read.error());
  if (options.through && state.position < *options.through) {
    return fail(ErrorCode::not_found, "the log ends at position " +
                                          std::to_string(state.position.value) + ", before " +
                                          std::to_string(options.through->value));
  }
  return state;
}

}  // namespace almanac
