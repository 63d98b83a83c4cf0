// Bytes as text: base64 of RFC 4648, section 4, with padding.
#pragma once

#include <almanac/log/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace almanac {

[[nodiscard]] std::string to_base64(Bytes bytes);
// None for what to_base64 never gives: other letters, missing padding, bits that are not used.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace almanac
