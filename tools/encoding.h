// Bytes as text: base64 of RFC 4648, section 4, with padding; and hexadecimal digits back.
#pragma once

#include <almanac/log/types.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace almanac {

[[nodiscard]] std::string to_base64(Bytes bytes);
// None for what to_base64 never gives: other letters, missing padding, bits that are not used.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

// Fills `bytes` with what to_hex() wrote of as many; false when that is not what the text is.
[[nodiscard]] bool from_hex(std::string_view text, std::span<std::byte> bytes);

}  // namespace almanac
