#include <almanac/log/recent_frames.h>

#include <almanac/log/limits.h>

#include <algorithm>
#include <utility>

namespace almanac {

SharedFrame own_frame(const FrameView& frame) {
  const auto* words = reinterpret_cast<const std::uint64_t*>(frame.value.data());
  auto count = frame.value.size() / sizeof(std::uint64_t);
  return std::make_shared<const OwnedFrame>(
      OwnedFrame{frame.first, frame.last, {words, words + count}});
}

void RecentFrames::add(SharedFrame frame) {
  bool news = false;
  {
    std::lock_guard guard(mutex_);
    auto before = bytes_;
    bytes_ += frame->value().size();
    // The settler waits for a first frame, then for a good load.
    news = frames_.empty() ||
           (before < limits::settle_bytes_min && bytes_ >= limits::settle_bytes_min);
    frames_.push_back(std::move(frame));
  }
  if (news) settle_.notify_one();
}

Result<void> RecentFrames::wait_for_room(Space space) {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [this] { return bytes_ < limits::recent_bytes_max || refusal_ || closing_; });
  if (refusal_ && space == Space::ordinary) return std::unexpected(*refusal_);
  return {};
}

void RecentFrames::ask_for_room() {
  std::lock_guard guard(mutex_);
  lacks_room_ = true;
  settle_.notify_one();
}

std::optional<std::vector<SharedFrame>> RecentFrames::take(std::size_t bytes_max) {
  std::unique_lock lock(mutex_);
  settle_.wait(lock, [this] { return closing_ || lacks_room_ || !frames_.empty(); });
  if (frames_.empty()) {
    lacks_room_ = false;
    return closing_ ? std::nullopt : std::optional<std::vector<SharedFrame>>(std::in_place);
  }
  settle_.wait_for(lock, limits::settle_interval,
                   [this] { return closing_ || bytes_ >= limits::settle_bytes_min; });
  std::vector<SharedFrame> taken;
  std::size_t bytes = 0;
  for (const SharedFrame& frame : frames_) {
    if (!taken.empty() && bytes + frame->value().size() > bytes_max) break;
    bytes += frame->value().size();
    taken.push_back(frame);
  }
  return taken;
}

void RecentFrames::drop(Position through) {
  std::vector<SharedFrame> dropped;  // and freed without the lock
  std::lock_guard guard(mutex_);
  while (!frames_.empty() && frames_.front()->last <= through) {
    bytes_ -= frames_.front()->value().size();
    dropped.push_back(std::move(frames_.front()));
    frames_.pop_front();
  }
  room_.notify_all();
}

void RecentFrames::refuse(Error error) {
  std::lock_guard guard(mutex_);
  refusal_ = std::move(error);
  room_.notify_all();
}

void RecentFrames::accept() {
  std::lock_guard guard(mutex_);
  refusal_.reset();
}

void RecentFrames::pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  settle_.wait_for(lock, time, [this] { return closing_; });
}

void RecentFrames::close() {
  std::lock_guard guard(mutex_);
  closing_ = true;
  settle_.notify_all();
  room_.notify_all();
}

bool RecentFrames::closing() const {
  std::lock_guard guard(mutex_);
  return closing_;
}

std::vector<SharedFrame> RecentFrames::from(Position position) const {
  std::lock_guard guard(mutex_);
  auto first = std::ranges::lower_bound(frames_, position, {},
                                        [](const SharedFrame& frame) { return frame->last; });
  auto count = std::min<std::ptrdiff_t>(frames_.end() - first, limits::read_slice_frames);
  return {first, first + count};
}

std::vector<SharedFrame> RecentFrames::back_from(Position position) const {
  std::lock_guard guard(mutex_);
  auto end = std::ranges::upper_bound(frames_, position, {},
                                      [](const SharedFrame& frame) { return frame->first; });
  auto count = std::min<std::ptrdiff_t>(end - frames_.begin(), limits::read_slice_frames);
  std::vector<SharedFrame> frames(end - count, end);
  std::ranges::reverse(frames);
  return frames;
}

SharedFrame RecentFrames::last() const {
  std::lock_guard guard(mutex_);
  return frames_.empty() ? nullptr : frames_.back();
}

}  // namespace almanac
