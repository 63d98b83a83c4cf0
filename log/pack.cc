#include <almanac/log/pack.h>

#include <almanac/log/codec.h>
#include <almanac/log/limits.h>

namespace almanac {
namespace {

bool states_its_size(Bytes value) { return stored_frame_bytes(value) == value.size(); }

}  // namespace

std::optional<Store::Frame> Pack::next() {
  if (rest_.empty()) return std::nullopt;
  auto size = stored_frame_bytes(rest_).value_or(rest_.size());
  if (size > rest_.size()) size = rest_.size();
  Store::Frame frame{first_, rest_.first(size)};
  rest_ = rest_.subspan(size);
  if (rest_.empty()) return frame;
  auto reader = FrameReader::open(frame.value, FrameTrust::verified);
  if (reader) {
    first_ = Position(first_.value + reader->header().count);
  } else {
    frame.value = {frame.value.data(), size + rest_.size()};
    rest_ = {};
  }
  return frame;
}

std::vector<Store::Frame> frames_of(const Store::Frame& value) {
  std::vector<Store::Frame> frames;
  Pack pack(value.first, value.value);
  while (auto frame = pack.next()) frames.push_back(*frame);
  return frames;
}

Store::Frame last_of(const Store::Frame& value) {
  Store::Frame last = value;
  Pack pack(value.first, value.value);
  while (auto frame = pack.next()) last = *frame;
  return last;
}

std::size_t pack_length(std::span<const Store::Frame> frames) {
  std::size_t bytes = frames.front().value.size();
  if (!states_its_size(frames.front().value)) return 1;
  std::size_t length = 1;
  while (length < frames.size() && length < limits::pack_frames_max) {
    Bytes next = frames[length].value;
    if (bytes + next.size() > limits::pack_bytes_max || !states_its_size(next)) break;
    bytes += next.size();
    ++length;
  }
  return length;
}

}  // namespace almanac
