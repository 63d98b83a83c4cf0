#include <almanac/engine/trimming.h>

#include <almanac/engine/carrying.h>

#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace almanac {
namespace {

// Of the events that go, one in so many may be written again: else there is little to gain.
constexpr std::size_t carried_share = 2;

Result<std::size_t> carry(const Trimming& engine, Position last) {
  const auto first = engine.log.first();
  if (!first) return std::unexpected(first.error());
  const auto state = engine.state();
  const auto needed = needed_through(*state, last);
  const auto end = std::min(last, state->position);
  if (needed.size() * carried_share > end.value + 1 - first->value) return 0;
  std::size_t carried = 0;
  for (std::span<const NeededEvent> left = needed; !left.empty();) {
    auto command = read_needed(engine.log, *state, left);
    if (!command) return std::unexpected(command.error());
    left = left.subspan(command->what.size());
    auto answer = engine.ask(std::move(*command));
    if (!answer) return std::unexpected(answer.error());
    carried += std::get<Changed>(*answer).tasks;
  }
  return carried;
}

// Where there is no space, what can go without any makes some.
bool is_full(const Error& error) { return error.code == ErrorCode::storage_full; }

// There is no checkpoint in front of the one that was just written.
Result<TrimReport> nothing_yet(const Log& log) {
  const auto first = log.first();
  if (!first) return std::unexpected(first.error());
  return TrimReport{.first = *first, .held_by = Position()};
}

}  // namespace

Result<EngineTrimReport> trim(const Trimming& engine, const TrimOptions& options) {
  const auto last = engine.log.last_to_trim(options);
  if (!last) return std::unexpected(last.error());
  auto written = engine.checkpointer.write_now();
  const auto carried = carry(engine, *last);
  if (!carried && !is_full(carried.error())) return std::unexpected(carried.error());
  if (carried.value_or(0) > 0) written = engine.checkpointer.write_now();
  if (!written && !is_full(written.error())) return std::unexpected(written.error());
  const auto checkpoint = engine.log.checkpoint();
  if (!checkpoint) return std::unexpected(checkpoint.error());
  const auto trimmed = *checkpoint ? engine.log.trim(options) : nothing_yet(engine.log);
  if (!trimmed) return std::unexpected(trimmed.error());
  return EngineTrimReport{*trimmed, carried.value_or(0)};
}

}  // namespace almanac
