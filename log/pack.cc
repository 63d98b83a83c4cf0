#include <almanac/log/pack.h>

#include <almanac/log/codec.h>
#include <almanac/log/limits.h>

#include <utility>

namespace almanac {
namespace {

bool states_its_size(Bytes value) { return stored_frame_bytes(value) == value.size(); }

// The size of the frame these bytes begin with; all of them when they do not say.
std::size_t front_bytes(Bytes bytes) {
  auto size = stored_frame_bytes(bytes);
  return size && *size <= bytes.size() ? *size : bytes.size();
}

// Where the frame behind this one begins, by this one's length and by what it says itself. Where
// the two differ one of them is damaged, and its checksum tells which.
std::optional<Position> first_behind(const Store::Frame& frame, Bytes rest) {
  auto own = stored_frame_positions(frame.value);
  auto behind = stored_frame_positions(rest);
  if (!own) return behind ? std::optional(behind->first) : std::nullopt;
  Position counted(frame.first.value + own->count);
  if (!behind || behind->first == counted) return counted;
  bool whole = FrameReader::open(rest.first(front_bytes(rest)), FrameTrust::unverified).has_value();
  return whole ? behind->first : counted;
}

}  // namespace

std::optional<Store::Frame> Pack::next() {
  if (rest_.empty()) return std::nullopt;
  auto size = front_bytes(rest_);
  Store::Frame frame{first_, rest_.first(size)};
  Bytes behind = rest_.subspan(size);
  auto first = behind.empty() ? Position() : first_behind(frame, behind);
  // Where no frame is behind it, its own size may be what is damaged.
  const bool lost = !behind.empty() && !stored_frame_bytes(behind) &&
                    !FrameReader::open(frame.value, FrameTrust::unverified);
  if (!first || lost) {
    frame.value = std::exchange(rest_, {});
    return frame;
  }
  first_ = *first;
  rest_ = behind;
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
