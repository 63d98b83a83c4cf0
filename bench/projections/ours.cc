#include <almanac/bench/projections/ours.h>

namespace almanac::bench {

void Ours::fold(const Log& log, const Range& range) {
  if (publish_every_ == 0) {
    return read_range(log, range, [this](const RecordedEvent& event) { fold_into(state_, event); });
  }
  read_range(log, range, [this](const RecordedEvent& event) {
    fold_into(state_, event);
    if (event.position.value % publish_every_ == 0) {
      published_ = std::make_shared<const State>(state_);
    }
  });
}

Fingerprint fingerprint_of(const State& state) {
  const Tasks& tasks = state.tasks;
  Fingerprint print;
  for (const auto& [id, task] : tasks.all) print.tasks += Fingerprint::of(id.value, task);
  for (const ReadyKey& key : tasks.ready) Fingerprint::add(print.ready, key.place.id.value);
  for (const RunningKey& key : tasks.running) Fingerprint::add(print.running, key.id.value);
  for (const DueKey& key : tasks.due) Fingerprint::add(print.due, key.id.value);
  for (const TagKey& key : tasks.tagged) Fingerprint::add(print.tagged, key.id.value);
  for (const auto& [key, keyed] : tasks.keys) print.keys += keyed.id.value * key.size();
  return print;
}

System ours(std::uint64_t publish_every) {
  return {.name = "almanac",
          .what = "persistent: every version can be kept",
          .make = [publish_every] { return std::make_unique<Ours>(publish_every); }};
}

}  // namespace almanac::bench
