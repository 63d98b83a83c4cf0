// Versions of a kind, as people write and read them.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/events/implementation.h>

#include <string>
#include <string_view>

namespace almanac {

// "2", "1-2", or "3-" for 3 and all later ones. Errors: invalid.
[[nodiscard]] Result<VersionRange> parse_versions(std::string_view text);
// For sentences: "2", "1 to 2", "3 and later", "up to 2", "all".
[[nodiscard]] std::string versions_text(VersionRange versions);

}  // namespace almanac
