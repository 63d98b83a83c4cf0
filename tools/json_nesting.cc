#include <almanac/tools/json_nesting.h>

#include <almanac/tools/limits.h>

#include <fmt/core.h>

namespace almanac {

Result<void> check_json_nesting(std::string_view json) {
  std::size_t depth = 0;
  bool is_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (is_text) {
      if (c == '\\') ++i;  // a quote behind it ends nothing
      is_text = c != '"';
    } else if (c == '"') {
      is_text = true;
    } else if (c == '[' || c == '{') {
      if (++depth > limits::json_nesting_max) {
        return fail(ErrorCode::invalid,
                    fmt::format("the JSON is nested over {} deep", limits::json_nesting_max),
                    "put fewer lists and objects into each other");
      }
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return {};
}

}  // namespace almanac
