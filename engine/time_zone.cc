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

LocalTime TimeZone::local(Time time) const {
  if (name_.empty()) return LocalTime(time.time_since_epoch());
  return LocalTime(zone_of(name_).to_local(time).time_since_epoch());
}

Time TimeZone::instant(LocalTime local) const {
  if (name_.empty()) return Time(local.time_since_epoch());
  const date::local_time<Duration> shown(local.time_since_epoch());
  const auto info = zone_of(name_).get_info(shown);
  if (info.result == date::local_info::nonexistent) return info.first.end;
  return Time(shown.time_since_epoch() - info.first.offset);
}

}  // namespace almanac
