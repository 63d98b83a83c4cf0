#include <almanac/engine/time_zone.h>

#include <date/tz.h>

#include <exception>

namespace almanac {
namespace {

const date::time_zone& zone_of(const std::string& name) { return *date::locate_zone(name); }

}  // namespace

Result<TimeZone> TimeZone::find(std::string_view name) {
  TimeZone zone;
  zone.name_ = name;
  try {
    // Reads the file, which the other functions then have in memory.
    (void)zone_of(zone.name_).get_info(date::sys_seconds());
  } catch (const std::exception&) {
    return fail(ErrorCode::invalid, "there is no time zone '" + zone.name_ + "'",
                "write one as Europe/Paris; /usr/share/zoneinfo has those this system knows");
  }
  return zone;
}

TimeZone::Period TimeZone::period(Time time) const {
  static constexpr Time ever = std::chrono::sys_days(std::chrono::year::max() / 12 / 31);
  if (name_.empty()) return {.begin = Time(-ever.time_since_epoch()), .end = ever};
  const date::time_zone& zone = zone_of(name_);
  const auto info = zone.get_info(time);
  const auto before = zone.get_info(info.begin - std::chrono::seconds(1));
  return {
      .begin = info.begin, .end = info.end, .offset = info.offset, .offset_before = before.offset};
}

}  // namespace almanac
