#include <almanac/tools/version_range.h>

#include <almanac/tools/text.h>

#include <fmt/core.h>

#include <charconv>
#include <cstdint>

namespace almanac {
namespace {

// 0 for what is no version.
std::uint32_t version_in(std::string_view text) {
  std::uint32_t version = 0;
  const char* end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, version);
  return error == std::errc() && behind == end ? version : 0;
}

}  // namespace

Result<VersionRange> parse_versions(std::string_view text) {
  const auto dash = text.find('-');
  const auto last = dash == std::string_view::npos ? text : text.substr(dash + 1);
  const VersionRange versions{.min = version_in(text.substr(0, dash)), .max = version_in(last)};
  const bool has_bounds = versions.min != 0 && (versions.max != 0 || last.empty());
  if (has_bounds && !versions.is_empty()) return versions;
  return fail(ErrorCode::invalid, "'" + printable(text) + "' are no versions",
              "write 2, 1-2, or 3- for 3 and all later ones");
}

std::string versions_text(VersionRange versions) {
  if (versions == VersionRange()) return "all";
  if (versions.max == 0) return fmt::format("{} and later", versions.min);
  if (versions.min == versions.max) return fmt::format("{}", versions.min);
  if (versions.min == 0) return fmt::format("up to {}", versions.max);
  return fmt::format("{} to {}", versions.min, versions.max);
}

}  // namespace almanac
