#include <almanac/log/verify.h>

#include <string>

namespace almanac {
namespace {

std::unexpected<Error> damage(const std::string& what, Position position) {
  return fail(ErrorCode::corrupt, what + " (at position " + std::to_string(position.value) + ")",
              "everything before that position is whole; restore the rest from a backup");
}

Result<void> check_events(const FrameReader& frame, Time& latest) {
  for (std::uint32_t i = 0; i < frame.header().count; ++i) {
    auto event = frame.event(i);
    if (!event) return std::unexpected(event.error());
    if (event->at < latest) {
      return damage("an event is older than the one before it",
                    Position(frame.header().first.value + i));
    }
    latest = event->at;
  }
  return {};
}

}  // namespace

Result<VerifyReport> verify(const Log& log, const std::function<void(Position)>& progress) {
  VerifyReport report;
  Time latest;
  auto read = log.read_frames(Position(1), [&](const FrameReader& frame) -> Result<bool> {
    if (!frame.digest_matches()) {
      return damage("the frame's digest does not match its bytes", frame.header().first);
    }
    if (auto checked = check_events(frame, latest); !checked) {
      return std::unexpected(checked.error());
    }
    report.last = frame.header().last();
    report.digest = frame.digest();
    report.frames += 1;
    report.bytes += frame.size_bytes();
    if (progress) progress(report.last);
    return true;
  });
  if (!read) return std::unexpected(read.error());
  return report;
}

}  // namespace almanac
