// What a task is known by: tasks of one identity are the same work, of which a submission may want
// no second one.
#pragma once

#include <almanac/log/types.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace almanac {

// XXH3-128 of what the submitter says it is known by; 0 = it is known by nothing.
struct TaskIdentity {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  explicit operator bool() const { return high != 0 || low != 0; }
  auto operator<=>(const TaskIdentity&) const = default;
};
[[nodiscard]] TaskIdentity identity_of(Bytes content);

// 32 hexadecimal digits.
[[nodiscard]] std::string to_text(const TaskIdentity& identity);
// Nothing when the text is none that to_text() wrote.
[[nodiscard]] std::optional<TaskIdentity> parse_task_identity(std::string_view text);

}  // namespace almanac
