#include <almanac/snapshots/past_states.h>

#include <almanac/projections/persistent/node_pool.h>
#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/rebuild.h>
#include <almanac/snapshots/state_at.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace almanac {

PastStates::PastStates(const Log& log, std::filesystem::path folder, PastStatesOptions options)
    : log_(log), folder_(std::move(folder)), options_(std::move(options)) {
  ALMANAC_CHECK(options_.every > 0);
}

Result<State> PastStates::at(std::optional<Position> through) const {
  auto last = last_position(log_, through);
  if (!last) return std::unexpected(last.error());
  auto state = start(*last);
  while (state && state->position < *last) {
    const Position stop((state->position.value / options_.every + 1) * options_.every);
    state = rebuild(log_, {.through = std::min(stop, *last), .start = std::move(*state)});
    if (!state) break;
    const auto as = is_multiple(state->position) ? KeptAs::mark : KeptAs::answer;
    state = keep(std::move(*state), as);
  }
  return state;
}

Result<void> PastStates::walk(std::stop_token stop) const {
  auto last = last_position(log_, {});
  if (!last) return std::unexpected(last.error());
  auto first = first_state_position(log_, folder_);
  if (!first) return std::unexpected(first.error());
  const std::uint64_t marks_max = std::max<std::size_t>(1, options_.states_max / 4 * 3);
  const std::uint64_t stretches = (last->value - first->value) / options_.every / marks_max + 1;
  const std::uint64_t stride = stretches * options_.every;
  auto state = start(*first);
  while (state && state->position < *last) {
    const Position next((state->position.value / stride + 1) * stride);
    if (next > *last) break;
    state = rebuild(log_, {.through = next, .start = std::move(*state), .stop = stop});
    if (state) state = keep(std::move(*state), KeptAs::mark);
  }
  return state ? Result<void>() : std::unexpected(state.error());
}

void PastStates::offer(const State& state) const {
  {
    const std::lock_guard guard(mutex_);
    const auto behind = kept_.upper_bound(state.position);
    const std::uint64_t before = behind == kept_.begin() ? 0 : std::prev(behind)->first.value;
    if (state.position.value < before + options_.every) return;
  }
  (void)keep(state, KeptAs::mark);
}

std::size_t PastStates::kept() const {
  const std::lock_guard guard(mutex_);
  return kept_.size();
}

State PastStates::nearest(Position through) const {
  const std::lock_guard guard(mutex_);
  auto behind = kept_.upper_bound(through);
  if (behind == kept_.begin()) return {};
  Kept& found = std::prev(behind)->second;
  found.served = ++uses_;
  return found.state;
}

Result<State> PastStates::start(Position through) const {
  State state = nearest(through);
  if (state.position == through) return state;
  auto first = log_.first();
  if (!first) return std::unexpected(first.error());
  // Loading a checkpoint takes as long as folding an event for each fortieth of its tasks, and what
  // is folded on shares its nodes. Where the log was trimmed behind the state there is no choice.
  const bool leads_on = state.position.next() >= *first;
  const std::uint64_t ahead_min = leads_on ? state.tasks.all.size() / 40 : 0;
  for (Position position : checkpoints_of(folder_)) {
    if (position > through) continue;
    if (position.value <= state.position.value + ahead_min) break;
    auto loaded = load_checkpoint(log_, folder_, position);
    if (loaded) return keep(std::move(*loaded), KeptAs::mark);
    const bool gone = loaded.error().code == ErrorCode::not_found;
    if (!gone && options_.refused) options_.refused(loaded.error());
  }
  return state;
}

// Of two threads that came to one position the second goes on with the state of the first, so that
// what they keep from there on shares its nodes.
State PastStates::keep(State state, KeptAs as) const {
  {
    const std::lock_guard guard(mutex_);
    Kept& here = kept_.try_emplace(state.position, Kept{state}).first->second;
    here.served = ++uses_;
    here.is_mark = here.is_mark || as == KeptAs::mark;
    state = here.state;
  }
  drop_those_too_many();
  return state;
}

void PastStates::drop_those_too_many() const {
  while (true) {
    std::map<Position, Kept>::node_type dropped;  // takes its nodes apart without the lock
    const std::lock_guard guard(mutex_);
    const bool too_large = kept_.size() > 1 && node_pool::used_bytes() > options_.memory_bytes_max;
    if (kept_.size() <= options_.states_max && !too_large) return;
    // A mark spares others the way, what was asked for is seldom asked for again; but for the last
    // ones, next to which the next question is.
    const auto answers = static_cast<std::size_t>(
        std::ranges::count_if(kept_, [](const auto& entry) { return !entry.second.is_mark; }));
    const bool drops_answer = answers > options_.states_max / 8;
    dropped = kept_.extract(std::ranges::min_element(kept_, {}, [&](const auto& entry) {
      return std::pair(entry.second.is_mark == drops_answer, entry.second.served);
    }));
  }
}

}  // namespace almanac
