// How deep JSON goes, told from its text: what walks it later, to print it or to take it apart,
// goes down a level of the stack each, and who sends mebibytes of brackets must not choose how
// many.
#pragma once

#include <almanac/log/error.h>

#include <string_view>

namespace almanac {

// One pass over the text, which need not be JSON. Errors: invalid (lists and objects lie deeper in
// each other than limits::json_nesting_max).
[[nodiscard]] Result<void> check_json_nesting(std::string_view json);

}  // namespace almanac
