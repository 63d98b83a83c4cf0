// The value of a projection, whatever its type is.
#pragma once

#include <almanac/log/log.h>

#include <any>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace almanac {

struct ProjectionName {
  std::string name;
  std::uint32_t version = 0;
};

// Errors: invalid.
[[nodiscard]] Result<void> check(const ProjectionName& name);

// A value with the fold it is changed by. Used by one thread at a time, but for initial(), which
// any may call.
class ProjectedValue {
 public:
  virtual ~ProjectedValue() = default;
  virtual void fold(const RecordedEvent& event) = 0;
  [[nodiscard]] virtual std::any copy() const = 0;
  [[nodiscard]] virtual std::unique_ptr<ProjectedValue> initial() const = 0;
  // As it is now, for another thread.
  [[nodiscard]] virtual std::unique_ptr<ProjectedValue> clone() const = 0;
  [[nodiscard]] virtual bool has_bytes() const = 0;
  [[nodiscard]] virtual std::vector<std::byte> encode() const = 0;
  [[nodiscard]] virtual Result<void> decode(Bytes bytes) = 0;

 protected:
  ProjectedValue() = default;
  ProjectedValue(const ProjectedValue&) = default;
  ProjectedValue& operator=(const ProjectedValue&) = default;
};

// The functions of the program may throw; here that is an error. Errors: corrupt (then nothing is
// to be read from the value any more), and those of the program's decode.
[[nodiscard]] Result<void> fold_into(ProjectedValue& value, const RecordedEvent& event);
[[nodiscard]] Result<std::vector<std::byte>> encode(const ProjectedValue& value);
[[nodiscard]] Result<void> decode_into(ProjectedValue& value, Bytes bytes);

}  // namespace almanac
