// The outcome of a result as a word that compares and prints well.
#pragma once

#include <almanac/log/error.h>

#include <string_view>

namespace almanac::test {

// "ok", or the name of the error's code: EXPECT_EQ(code_of(log.append(batch)), "storage_full").
template <class T>
[[nodiscard]] std::string_view code_of(const Result<T>& result) {
  return result ? "ok" : name(result.error().code);
}

}  // namespace almanac::test
