#include <almanac/log/task_identity.h>

#include <almanac/log/hash.h>

#include <array>
#include <span>

namespace almanac {
namespace {

using Canonical = std::array<std::byte, 16>;  // the high bytes first

TaskIdentity identity_from(const Canonical& bytes) {
  TaskIdentity identity;
  for (std::size_t i = 0; i < 8; ++i) {
    identity.high = identity.high << 8 | std::to_integer<std::uint64_t>(bytes[i]);
    identity.low = identity.low << 8 | std::to_integer<std::uint64_t>(bytes[i + 8]);
  }
  return identity;
}

}  // namespace

TaskIdentity identity_of(Bytes content) { return identity_from(xxh3_128(content)); }

std::string to_text(const TaskIdentity& identity) {
  Canonical bytes;
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::byte>(identity.high >> (56 - 8 * i));
    bytes[i + 8] = static_cast<std::byte>(identity.low >> (56 - 8 * i));
  }
  return to_hex(bytes);
}

std::optional<TaskIdentity> parse_task_identity(std::string_view text) {
  Canonical bytes;
  if (!from_hex(text, bytes)) return std::nullopt;
  return identity_from(bytes);
}

}  // namespace almanac
