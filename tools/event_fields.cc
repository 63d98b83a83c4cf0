#include <almanac/tools/event_fields.h>

namespace almanac {
namespace {

// Whatever its type, a field is set to 0 or made empty.
struct Clear {
  void operator()(const char*, auto& value) { value = {}; }
  void always(const char*, auto& value) { value = {}; }
};

template <std::size_t... index>
std::vector<EventBody> make_bodies(std::index_sequence<index...>) {
  std::vector<EventBody> bodies = {EventBody(std::in_place_index<index>)...};
  Clear clear;
  for (EventBody& body : bodies) describe_body(clear, body);
  return bodies;
}

}  // namespace

const std::vector<EventBody>& empty_bodies() {
  static const auto bodies =
      make_bodies(std::make_index_sequence<std::variant_size_v<EventBody>>());
  return bodies;
}

const std::vector<std::string_view>& event_type_names() {
  static const auto names = [] {
    std::vector<std::string_view> list;
    for (const EventBody& body : empty_bodies()) list.push_back(type_name(body));
    return list;
  }();
  return names;
}

}  // namespace almanac
