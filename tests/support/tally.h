// A projection that cannot be right by chance.
#pragma once

#include <almanac/snapshots/projection_spec.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace almanac::test {

// How many events there were, and the sum of their positions: a wrong order, a skipped or repeated
// event changes it.
struct Tally {
  std::uint64_t events = 0;
  std::uint64_t mixed = 0;
  bool operator==(const Tally&) const = default;
};

inline Tally tally_of(std::uint64_t last) {
  Tally tally;
  for (std::uint64_t position = 1; position <= last; ++position) {
    ++tally.events;
    tally.mixed = tally.mixed * 31 + position;
  }
  return tally;
}

inline ProjectionSpec<Tally> tally_spec() {
  return {.name = "tally",
          .fold =
              [](Tally& tally, const RecordedEvent& event) {
                ++tally.events;
                tally.mixed = tally.mixed * 31 + event.position.value;
              },
          .encode =
              [](const Tally& tally) {
                auto bytes = std::as_bytes(std::span(&tally, 1));
                return std::vector<std::byte>(bytes.begin(), bytes.end());
              },
          .decode = [](Bytes bytes) -> Result<Tally> {
            Tally tally;
            if (bytes.size() != sizeof(tally)) return fail(ErrorCode::corrupt, "no tally");
            std::memcpy(&tally, bytes.data(), sizeof(tally));
            return tally;
          }};
}

}  // namespace almanac::test
