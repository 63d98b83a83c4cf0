// Events of every type for tests: a fixed one of each with every field set, and random ones.
#pragma once

#include <almanac/log/event.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace almanac::test {

// One event of every type, every field with a value of its own. Static memory.
[[nodiscard]] std::vector<Event> one_of_each(Time at);

// A batch of random events, drawn from rapidcheck's generators: for use inside a property. Owns
// what it points at.
[[nodiscard]] std::shared_ptr<const EventBatch> any_batch(std::size_t events_max, Time not_before);

}  // namespace almanac::test
