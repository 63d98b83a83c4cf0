#include <almanac/tests/support/trimmed_log.h>

#include <almanac/log/import.h>

namespace almanac::test {

void write_trimmed(const std::filesystem::path& folder, const std::vector<Event>& events,
                   Position removed) {
  constexpr Timeline timeline = {std::byte{7}};
  const LogTail base{
      .last = removed, .digest = {std::byte{1}}, .time = events[removed.value - 1].at};
  auto log = LogImport::begin(folder, timeline, base);
  ALMANAC_CHECK(log);
  for (auto i = removed.value; i < events.size(); ++i) {
    ALMANAC_CHECK((*log)->add(events[i].at, {events[i]}));
  }
  ALMANAC_CHECK((*log)->finish());
}

}  // namespace almanac::test
