// Bytes of a file as text, for golden files: every 32 that are not all zero as a line "OFFSET HEX".
#pragma once

#include <cstddef>
#include <istream>
#include <ostream>
#include <string>
#include <string_view>

namespace almanac::test {

void print_rows(std::ostream& to, std::string_view bytes);
// The bytes again, `size` of them, from lines up to the end.
[[nodiscard]] std::string read_rows(std::istream& from, std::size_t size);

}  // namespace almanac::test
