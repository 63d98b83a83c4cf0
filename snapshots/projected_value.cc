#include <almanac/snapshots/projected_value.h>

#include <algorithm>
#include <exception>
#include <string>

namespace almanac {
namespace {

constexpr std::size_t name_bytes_max = 64;

bool is_name(const std::string& name) {
  auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !name.empty() && name.size() <= name_bytes_max && std::ranges::all_of(name, fits);
}

template <class Call>
auto guarded(Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::exception& thrown) {
    return fail(ErrorCode::corrupt, std::string("the projection's bytes: ") + thrown.what());
  } catch (...) {
    return fail(ErrorCode::corrupt, "the projection's bytes: something unknown was thrown");
  }
}

}  // namespace

Result<void> check(const ProjectionName& name) {
  if (!is_name(name.name)) {
    return fail(ErrorCode::invalid, "'" + name.name + "' cannot name a projection",
                "use 1 to 64 letters, digits, '-' and '_'");
  }
  if (name.version == 0) {
    return fail(ErrorCode::invalid, "0 is no version of a projection", "begin with 1");
  }
  return {};
}

Result<void> fold_into(ProjectedValue& value, const RecordedEvent& event) {
  std::string what = "something unknown";
  try {
    value.fold(event);
    return {};
  } catch (const std::exception& thrown) {
    what = thrown.what();
  } catch (...) {}
  return fail(ErrorCode::corrupt,
              "the projection's fold threw at position " + std::to_string(event.position.value) +
                  ": " + what,
              "a fold takes every event; correct it and give it another version");
}

Result<std::vector<std::byte>> encode(const ProjectedValue& value) {
  return guarded([&] { return Result<std::vector<std::byte>>(value.encode()); });
}

Result<void> decode_into(ProjectedValue& value, Bytes bytes) {
  return guarded([&] { return value.decode(bytes); });
}

}  // namespace almanac
