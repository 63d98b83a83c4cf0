#include <almanac/tests/simulation/simulated_log.h>

#include <almanac/log/limits.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace almanac::test {

using namespace std::chrono_literals;

void SimulatedDisk::write(std::span<const EventBatch* const> batches) {
  const FrameHeader header{.timeline = timeline_,
                           .first = last_.next(),
                           .time = batches.front()->events.front().at,
                           .previous = digest_};
  const auto encoded = encoder_.encode(header, batches);
  Frame frame{.last = {}, .words = std::vector<std::uint64_t>(encoded.value.size() / 8)};
  std::memcpy(frame.words.data(), encoded.value.data(), encoded.value.size());
  for (const EventBatch* batch : batches) last_.value += batch->events.size();
  frame.last = last_;
  frames_.push_back(std::move(frame));
  digest_ = encoded.digest;
  read(header.first, last_, on_write_);
}

void SimulatedDisk::read(Position from, Position through, const Visit& visit) const {
  auto frame = std::ranges::lower_bound(frames_, from, {}, &Frame::last);
  for (; frame != frames_.end(); ++frame) {
    auto reader = FrameReader::open(std::as_bytes(std::span(frame->words)), FrameTrust::unverified);
    ALMANAC_CHECK(reader);
    const FrameHeader& header = reader->header();
    for (std::uint32_t i = 0; i < header.count; ++i) {
      RecordedEvent recorded{Position(header.first.value + i), {}};
      if (recorded.position < from) continue;
      if (recorded.position > through) return;
      ALMANAC_CHECK(reader->read(i, recorded.event));
      visit(recorded);
    }
  }
}

Result<Position> SimulatedLog::append(std::shared_ptr<const EventBatch> batch,
                                      const AppendOptions& options) {
  const Position first = next_;
  next_.value += batch->events.size();
  if (condition_ != Condition::writing) return first;
  queue_.push_back({std::move(batch), options.space});
  if (!alive_->writing) begin_frame();
  return first;
}

void SimulatedLog::resume() {
  if (condition_ != Condition::refused) return;
  condition_ = Condition::writing;
  next_ = disk_.last().next();
}

Result<void> SimulatedLog::read_one(Position position,
                                    const std::function<void(const Event&)>& visit) const {
  disk_.read(position, position, [&](const RecordedEvent& recorded) { visit(recorded.event); });
  return {};
}

// All that waits, or some of it: where a frame ends is not for the core to know.
void SimulatedLog::begin_frame() {
  const auto& front = queue_.front();
  const Time began = front.batch->events.front().at;
  const Space space = front.space;
  auto most = draw_.chance(30) ? 1 + draw_.below(3) : queue_.size();
  while (!queue_.empty() && frame_.size() < most && queue_.front().space == space &&
         queue_.front().batch->events.back().at - began <= limits::frame_span_max) {
    frame_.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  alive_->writing = true;
  const auto slowest = faults_.strike(Fault::slow_disk, 10) ? Duration(5s) : Duration(500us);
  agenda_.in(draw_.between(50us, slowest), [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) end_frame();
  });
}

void SimulatedLog::end_frame() {
  const Space space = frame_.front().space;
  const Position before = disk_.last();
  if (disk_.full && (space == Space::ordinary || disk_.reserve_full)) {
    fail_frame(ErrorCode::storage_full, before);
  } else if (faults_.strike(Fault::lost_commit, 1)) {
    fail_frame(ErrorCode::unknown_outcome, before);
  } else if (faults_.strike(Fault::unreported_commit, 1)) {
    write_frame();
    fail_frame(ErrorCode::unknown_outcome, before);
  } else {
    write_frame();
    if (space == Space::ordinary) takes_all_ = true;
    on_commit_({.through = disk_.last(), .error = {}});
  }
  alive_->writing = false;
  frame_.clear();
  if (!queue_.empty()) begin_frame();
}

void SimulatedLog::write_frame() {
  std::vector<const EventBatch*> batches;
  for (const Waiting& waiting : frame_) batches.push_back(waiting.batch.get());
  disk_.write(batches);
}

void SimulatedLog::fail_frame(ErrorCode code, Position through) {
  condition_ = code == ErrorCode::storage_full ? Condition::refused : Condition::broken;
  takes_all_ = false;
  queue_.clear();
  on_commit_({.through = through, .error = Error{code, "the simulated disk says so", ""}});
}

void SimulatedLog::crash() {
  if (!alive_->writing) return;
  if (faults_.strike(Fault::crash_after_commit, 90)) write_frame();
}

}  // namespace almanac::test
