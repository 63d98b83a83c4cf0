// An error as one line of JSON, for machines:
//   {"code":"timed_out","category":"concurrency","message":"…","next_step":"…","recoverable":true,
//    "context":{"lock":"account"},"cause":{…}}
// next_step, context and cause are left out where there are none. What is not UTF-8 is replaced.
#pragma once

#include <almanac/log/error.h>

#include <string>

namespace almanac {

[[nodiscard]] std::string to_json(const Error& error);

}  // namespace almanac
