// Counts the calls: the smallest component that has a state. examples/component/parts.toml lets an
// engine keep it in working order.
#include <component_abi.h>

#include <new>
#include <string>
#include <string_view>

namespace {

struct Counter {
  unsigned long count = 0;
  std::string text;
};

almanac_bytes shown(Counter& counter) {
  counter.text = std::to_string(counter.count);
  return {counter.text.data(), counter.text.size()};
}

void* create(almanac_bytes state) {
  auto* counter = new (std::nothrow) Counter;
  for (std::size_t i = 0; counter != nullptr && i < state.size; ++i) {
    if (state.data[i] < '0' || state.data[i] > '9') continue;
    counter->count = counter->count * 10 + static_cast<unsigned long>(state.data[i] - '0');
  }
  return counter;
}

void destroy(void* self) { delete static_cast<Counter*>(self); }

int call(void* self, almanac_bytes request, almanac_bytes* answer) {
  auto& counter = *static_cast<Counter*>(self);
  ++counter.count;
  *answer = shown(counter);
  return std::string_view(request.data, request.size) == "fail" ? 1 : 0;
}

int save(void* self, almanac_bytes* state) {
  *state = shown(*static_cast<Counter*>(self));
  return 0;
}

}  // namespace

ALMANAC_COMPONENT_EXPORT const almanac_component almanac_component_v1 = {"1.0", create, destroy,
                                                                         call, save};
