#include <almanac/tools/workload_value.h>

#include <array>
#include <utility>

namespace almanac::workload {

std::string_view what_it_is(const Value& value) {
  static constexpr std::array<std::string_view, 8> names = {
      "null", "true or false", "a whole number", "a number with a fraction",
      "text", "a time",        "a list",         "a table"};
  static_assert(std::variant_size_v<decltype(Value::content)> == names.size());
  return names[value.content.index()];
}

std::unexpected<Fault> fault(int line, std::string message, std::string next_step) {
  return std::unexpected(Fault{line, std::move(message), std::move(next_step)});
}

}  // namespace almanac::workload
