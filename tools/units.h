// Durations, times and sizes as people write and read them.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/time_text.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace almanac {

// The longest duration that can be written: 100 years of 365 days.
inline constexpr Duration duration_max = std::chrono::days(36'500);

// One or more numbers, each with its unit, the larger unit first: "250ms", "30s", "1h30m", "1.5s",
// "2d". Units are us (or µs), ms, s, m, h and d of 24 hours. Digits beyond a microsecond are
// dropped. Errors: invalid (no unit, which is answered with a hint; unknown or repeated units;
// negative; over duration_max).
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
// The shortest text that parse_duration reads back as the same: "1h30m", "1s250ms", "0s".
[[nodiscard]] std::string format_duration(Duration duration);
// For tables, at most three digits and cut, not rounded: "640µs", "85ms", "1.24s", "12.3s",
// "3m05s", "1h05m", "2d03h".
[[nodiscard]] std::string format_compact(Duration duration);

// RFC 3339 with its zone: "2026-11-21T10:00:00Z", "2026-11-21 11:00:00.25+01:00". Digits beyond a
// microsecond are dropped. Errors: invalid; for a time without a zone the next step shows what to
// write, since a guess would be wrong somewhere on earth.
[[nodiscard]] Result<Time> parse_time(std::string_view text);

// "4096", "64KiB", "1.5 GiB": a number and B, KiB, MiB, GiB or TiB; B when left out.
// Errors: invalid.
[[nodiscard]] Result<std::uint64_t> parse_bytes(std::string_view text);
// "817 B", "12.3 KiB", "4.0 GiB": one decimal, cut.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

}  // namespace almanac
