// What is wrong with an expression that was typed, for the person who typed it.
#pragma once

#include <almanac/log/error.h>
#include <almanac/projections/query.h>

#include <string_view>

namespace almanac {

// Query::parse(); the error shows the expression with a mark below the place, and what may have
// been meant. Errors: invalid.
[[nodiscard]] Result<Query> parse_query(std::string_view text, QuerySubject subject);

}  // namespace almanac
