#include <almanac/tests/support/recorded_traces.h>

#include <cstdlib>
#include <string_view>

namespace almanac::test {

std::optional<std::filesystem::path> recorded_traces() {
  const char* folder = std::getenv("ALMANAC_TRACE_DIR");
  if (folder == nullptr || std::string_view(folder).empty()) return std::nullopt;
  return folder;
}

}  // namespace almanac::test
