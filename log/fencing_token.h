// What an attempt shows to be told apart from every other one, in this log and in those that branch
// off from it.
#pragma once

#include <almanac/log/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace almanac {

// Of one timeline the larger lease is the later attempt. Tokens of two timelines have no order: a
// restored log is another timeline, which may give the same lease again.
struct FencingToken {
  Timeline timeline{};
  Lease lease;
  bool operator==(const FencingToken&) const = default;
};

// "TIMELINE:LEASE": 32 hexadecimal digits, a colon, a number.
[[nodiscard]] std::string to_text(const FencingToken& token);
// Nothing when the text is none that to_text() wrote.
[[nodiscard]] std::optional<FencingToken> parse_fencing_token(std::string_view text);

}  // namespace almanac
