#include <almanac/snapshots/read_back.h>

#include <string>
#include <utility>

namespace almanac {

ReadBack::ReadBack(const LogImport& log, const LogTail& base, Options options)
    : log_(log),
      options_(std::move(options)),
      state_(std::move(options_.start)),
      read_(base),
      written_(base.last),
      thread_([this](const std::stop_token& ending) { run(ending); }) {}

bool ReadBack::go_on(Position through) {
  const std::lock_guard guard(mutex_);
  written_ = through;
  changed_.notify_one();
  return !error_;
}

Result<State> ReadBack::finish() {
  {
    const std::lock_guard guard(mutex_);
    is_whole_ = true;
    changed_.notify_one();
  }
  thread_.join();
  if (error_) return std::unexpected(std::move(*error_));
  return std::move(state_);
}

void ReadBack::run(const std::stop_token& ending) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, ending, [&] { return written_ > read_.last || is_whole_; });
    const Position through = written_;
    if (through == read_.last || ending.stop_requested()) return;
    lock.unlock();
    auto read = read_through(through, ending);
    lock.lock();
    if (read) continue;
    error_ = std::move(read.error());
    return;
  }
}

Result<void> ReadBack::read_through(Position through, const std::stop_token& ending) {
  return log_.read_frames(read_.last.next(), [&](const FrameReader& frame) -> Result<bool> {
    if (ending.stop_requested() || options_.stop.stop_requested()) {
      return fail(ErrorCode::stopped, "it was stopped before the log was read back");
    }
    if (auto folded = fold(frame); !folded) return std::unexpected(folded.error());
    return read_.last < through;
  });
}

Result<void> ReadBack::fold(const FrameReader& frame) {
  const FrameHeader& header = frame.header();
  if (header.first != read_.last.next() || header.previous != read_.digest) {
    return fail(ErrorCode::corrupt,
                "what was written at position " + std::to_string(header.first.value) +
                    " does not follow what is in front of it",
                "do it again; should it happen again, the disk or the memory is at fault");
  }
  read_ = {.last = header.last(), .digest = frame.digest(), .time = header.time};
  RecordedEvent recorded;
  while (state_.position < read_.last) {
    recorded.position = state_.position.next();
    const auto index = static_cast<std::uint32_t>(recorded.position.value - header.first.value);
    if (auto read = frame.read(index, recorded.event); !read) return read;
    fold_into(state_, recorded);
    if (state_.position != options_.checked || !options_.check) continue;
    if (auto checked = options_.check(state_); !checked) return checked;
  }
  return {};
}

}  // namespace almanac
