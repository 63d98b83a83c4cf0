#include <almanac/log/verify.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace almanac {
namespace {

std::unexpected<Error> damage(const std::string& what, Position position) {
  return fail(ErrorCode::corrupt, what + " (at position " + std::to_string(position.value) + ")",
              "everything before that position is whole; restore the rest from a backup");
}

Result<void> check_events(const FrameReader& frame, Time& latest) {
  for (std::uint32_t i = 0; i < frame.header().count; ++i) {
    auto event = frame.event(i);
    if (!event) return std::unexpected(event.error());
    if (event->at < latest) {
      return damage("an event is older than the one before it",
                    Position(frame.header().first.value + i));
    }
    latest = event->at;
  }
  return {};
}

// Checks one frame by itself and adds it to the report of those before it.
Result<void> add_frame(VerifyReport& report, const FrameReader& frame) {
  if (!frame.digest_matches()) {
    return damage("the frame's digest does not match its bytes", frame.header().first);
  }
  if (auto checked = check_events(frame, report.time); !checked) return checked;
  report.last = frame.header().last();
  report.digest = frame.digest();
  report.frames += 1;
  report.bytes += frame.size_bytes();
  return {};
}

// ---- By several threads ----

// What a range should hold of frames: enough that handing it out costs nothing, so little that all
// threads end at about the same time.
constexpr std::uint64_t range_bytes_target = 8 * limits::mebibyte;
constexpr std::uint64_t range_events_first = 1'024;
constexpr std::uint64_t range_events_max = 1'048'576;
constexpr auto progress_interval = std::chrono::milliseconds(100);

// The frames that begin at one of these positions.
struct Range {
  Position begin;
  Position end;
  // Of the first of them; none when there is none, in the middle of a large frame.
  std::optional<FrameHeader> first;
  Time first_time;      // of its first event
  VerifyReport report;  // of this range alone
  std::optional<Error> error;
  bool done = false;
};

// False when it was told to stop.
bool check_range(const Log& log, Range& range, const std::atomic<bool>& stop) {
  auto read = log.read_frames(range.begin, [&](const FrameReader& frame) -> Result<bool> {
    const FrameHeader& header = frame.header();
    if (header.first < range.begin) return true;  // it is the range's before
    if (header.first >= range.end || stop) return false;
    if (!range.first) {
      auto event = frame.event(0);
      if (!event) return std::unexpected(event.error());
      range.first = header;
      range.first_time = event->at;
    }
    if (auto added = add_frame(range.report, frame); !added) {
      return std::unexpected(added.error());
    }
    return true;
  });
  if (!read) range.error = read.error();
  return !stop;
}

// Hands ranges out to threads and joins what they found, in order.
class ParallelVerification {
 public:
  ParallelVerification(const Log& log, const VerifyOptions& options, Position last)
      : log_(log),
        last_(last),
        range_events_(options.range_events),
        next_(options.from.last.next()),
        report_(options.from) {}

  Result<Verification> run(const VerifyOptions& options) {
    const auto& progress = options.progress;
    if (progress && !progress(report_)) return Verification{.report = report_, .finished = false};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < std::max<std::size_t>(options.jobs, 1); ++i) {
      threads.emplace_back([this] { work(); });
    }
    watch(threads.size(), progress);
    for (std::thread& thread : threads) thread.join();
    if (error_) return std::unexpected(*error_);
    if (report_.last == last_) return Verification{.report = report_, .finished = true};
    if (!stop_) return damage("the log ends before it should", report_.last.next());
    return Verification{.report = report_, .finished = false};
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (!stop_ && !failed_ && next_ <= last_) {
      Range& range = hand_out();
      lock.unlock();
      bool whole = check_range(log_, range, stop_);
      lock.lock();
      range.done = whole;
      bytes_ += range.report.bytes;
      if (range.report.last) events_ += range.report.last.value - range.first->first.value + 1;
      failed_ = failed_ || range.error;
      join();
      changed_.notify_one();
    }
    ++ended_;
    changed_.notify_one();
  }

  // The next range, as long as the frames seen so far let expect.
  Range& hand_out() {
    auto length = range_events_ > 0 ? range_events_ : range_events_first;
    if (range_events_ == 0 && bytes_ > 0) {
      length =
          std::clamp<std::uint64_t>(range_bytes_target * events_ / bytes_, 1, range_events_max);
    }
    Position end(std::min(next_.value + length, last_.value + 1));
    ranges_.push_back({.begin = std::exchange(next_, end), .end = end});
    return ranges_.back();
  }

  void join() {
    for (; !ranges_.empty() && ranges_.front().done && !error_; ranges_.pop_front()) {
      add(ranges_.front());
    }
  }

  void add(const Range& range) {
    if (range.first) {
      if (range.first->first != report_.last.next() || range.first->previous != report_.digest) {
        error_ = damage("a frame does not follow the one before it", report_.last.next()).error();
      } else if (range.first_time < report_.time) {
        error_ = damage("an event is older than the one before it", range.first->first).error();
      }
      if (error_) return;
    }
    if (range.report.last) {
      auto so_far = std::exchange(report_, range.report);
      report_.frames += so_far.frames;
      report_.bytes += so_far.bytes;
    }
    if (range.error) error_ = range.error;
  }

  void watch(std::size_t threads, const std::function<bool(const VerifyReport&)>& progress) {
    std::unique_lock lock(mutex_);
    Position told = report_.last;
    while (ended_ < threads) {
      changed_.wait_for(lock, progress_interval,
                        [&] { return ended_ == threads || report_.last != told; });
      auto so_far = report_;
      told = so_far.last;
      if (!progress) continue;
      lock.unlock();
      if (!progress(so_far)) stop_ = true;
      lock.lock();
    }
  }

  const Log& log_;
  const Position last_;
  const std::uint64_t range_events_;
  std::atomic<bool> stop_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  // All guarded by mutex_. Ranges that are handed out stay where they are.
  Position next_;
  std::deque<Range> ranges_;
  VerifyReport report_;
  std::optional<Error> error_;  // of the first damaged position
  bool failed_ = false;         // there is damage somewhere: what lies behind it is of no interest
  std::uint64_t bytes_ = 0;     // of the ranges that were checked, in whatever order
  std::uint64_t events_ = 0;
  std::size_t ended_ = 0;
};

// The frame that `from` ends with is still there.
Result<void> check_holds(const Log& log, const VerifyReport& from) {
  if (!from.last) return {};
  bool holds = false;
  auto read = log.read_frames(from.last, [&](const FrameReader& frame) -> Result<bool> {
    holds = frame.header().last() == from.last && frame.digest() == from.digest;
    return false;
  });
  if (!read || holds) return read;
  return fail(ErrorCode::conflict, "the log is not the one that was checked before");
}

}  // namespace

Result<VerifyReport> verify(const Log& log, const std::function<void(Position)>& progress) {
  VerifyReport report;
  auto read = log.read_frames(Position(1), [&](const FrameReader& frame) -> Result<bool> {
    if (auto added = add_frame(report, frame); !added) return std::unexpected(added.error());
    if (progress) progress(report.last);
    return true;
  });
  if (!read) return std::unexpected(read.error());
  return report;
}

Result<Verification> verify(const Log& log, const VerifyOptions& options) {
  auto tail = log.tail();
  if (!tail) return std::unexpected(tail.error());
  auto base = log.base();
  if (!base) return std::unexpected(base.error());
  VerifyOptions from_base = options;
  if (options.from.last < base->last) {
    from_base.from = {.last = base->last, .digest = base->digest, .time = base->time};
  } else if (auto holds = check_holds(log, options.from); !holds) {
    return std::unexpected(holds.error());
  }
  return ParallelVerification(log, from_base, tail->last).run(from_base);
}

}  // namespace almanac
