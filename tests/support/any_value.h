// Random values of which random events are made (any_event.h).
#pragma once

#include <almanac/log/append.h>
#include <almanac/log/event.h>

#include <rapidcheck.h>

#include <array>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::test {

// Keeps the memory random events point at.
struct EventArena {
  std::deque<std::string> texts;
  std::deque<std::vector<std::string_view>> names;
  std::deque<std::vector<TaskId>> ids;
  std::deque<std::vector<std::uint64_t>> numbers;
  std::deque<std::vector<DependencyCondition>> conditions;
  std::deque<std::vector<Demand>> demands;
  std::deque<std::vector<QueueWeight>> weights;
  std::deque<std::vector<RankedImplementation>> implementations;
  std::deque<std::vector<DescribedImplementation>> described;
  EventBatch batch;
};

template <class Number>
Number any_number() {
  // rapidcheck's own numbers stay near 0 for small sizes; half of ours are from the whole range.
  return *rc::gen::oneOf(rc::gen::arbitrary<Number>(),
                         rc::gen::resize(100, rc::gen::arbitrary<Number>()));
}

inline std::string_view any_text(EventArena& arena, int length_max) {
  auto length = static_cast<std::size_t>(*rc::gen::inRange(0, length_max + 1));
  return arena.texts.emplace_back(
      *rc::gen::container<std::string>(length, rc::gen::arbitrary<char>()));
}

inline std::string_view any_name(EventArena& arena) {
  static constexpr std::array<std::string_view, 4> common = {"", "default", "render", "mail"};
  auto choice = *rc::gen::inRange<std::size_t>(0, common.size() + 1);
  return choice < common.size() ? common[choice] : any_text(arena, 12);
}

inline Time any_time() { return Time(Duration(any_number<std::int64_t>())); }

template <class Enum>
Enum any_of(int count) {
  return static_cast<Enum>(*rc::gen::inRange(0, count));
}

// Of the component domain, the one of this number.
EventBody any_component_body(EventArena& arena, std::size_t which);

}  // namespace almanac::test
