#include <almanac/log/writer.h>

#include <almanac/log/limits.h>

#include <utility>

namespace almanac {

Writer::Writer(Store& store, const LogTail& tail, OnCommit on_commit)
    : store_(store),
      on_commit_(std::move(on_commit)),
      next_(tail.last.next()),
      latest_(tail.time),
      tail_(tail) {
  thread_ = std::thread([this] { run(); });
}

Writer::~Writer() {
  {
    std::lock_guard guard(mutex_);
    closing_ = true;
  }
  work_.notify_one();
  thread_.join();
}

Result<Position> Writer::append(std::shared_ptr<const EventBatch> batch, const BatchCost& cost) {
  if (batch->events.front().at < latest_) {
    return fail(ErrorCode::invalid, "an event is older than the one before it in the log",
                "give it the time of that one");
  }
  latest_ = batch->events.back().at;
  auto first = next_;
  next_ = Position(next_.value + batch->events.size());
  {
    std::lock_guard guard(mutex_);
    if (condition_ != Condition::writing) return first;
    queue_.push_back({std::move(batch), cost, first});
  }
  work_.notify_one();
  return first;
}

void Writer::resume() {
  std::lock_guard guard(mutex_);
  if (condition_ != Condition::refused) return;
  condition_ = Condition::writing;
  next_ = tail_.last.next();
  latest_ = tail_.time;
}

void Writer::run() {
  for (;;) {
    auto batches = take();  // and lets go of them before it waits for the next
    if (batches.empty()) return;
    for (std::span<const Pending> left = batches; !left.empty();) {
      auto committed = commit(left);
      if (!committed) {
        report_failure(committed.error());
        break;
      }
      left = left.subspan(*committed);
      on_commit_({.through = tail_.last, .error = {}});
    }
  }
}

// Waits for work and takes what one commit may hold. Empty when the writer closes.
std::vector<Writer::Pending> Writer::take() {
  std::unique_lock lock(mutex_);
  work_.wait(lock, [this] { return closing_ || !queue_.empty(); });
  std::vector<Pending> batches;
  std::size_t bytes = 0;
  while (!queue_.empty() && (batches.empty() || bytes < limits::commit_bytes_target)) {
    bytes += queue_.front().cost.bytes;
    batches.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return batches;
}

// How many of the batches make the next frame.
std::size_t Writer::frame_length(std::span<const Pending> batches) const {
  auto time = batches.front().batch->events.front().at;
  BatchCost sum = batches.front().cost;
  std::size_t length = 1;
  for (; length < batches.size(); ++length) {
    const Pending& next = batches[length];
    sum.names += next.cost.names;
    if (sum.bytes >= limits::frame_bytes_target || sum.names >= limits::frame_names_max ||
        next.batch->events.back().at - time > limits::frame_span_max) {
      break;
    }
    sum.bytes += next.cost.bytes;
  }
  return length;
}

// 1. cut the batches into frames  2. encode each with the digest of the one before
// 3. put all in one transaction and sync it  4. only then move the tail
// Answers how many batches that took, which is all unless they make too many frames.
Result<std::size_t> Writer::commit(std::span<const Pending> batches) {
  std::vector<Store::Frame> frames;
  LogTail tail = tail_;
  std::size_t taken = 0;
  while (taken < batches.size() && frames.size() < limits::commit_frames_max) {
    auto left = batches.subspan(taken);
    auto of_frame = left.first(frame_length(left));
    std::vector<const EventBatch*> events;
    for (const Pending& pending : of_frame) events.push_back(pending.batch.get());
    if (encoders_.size() == frames.size()) encoders_.emplace_back();
    FrameHeader header{.timeline = store_.timeline(),
                       .first = of_frame.front().first,
                       .time = events.front()->events.front().at,
                       .previous = tail.digest};
    auto encoded = encoders_[frames.size()].encode(header, events);
    frames.push_back({header.first, encoded.value});
    const Pending& last = of_frame.back();
    tail = {.last = Position(last.first.value + last.batch->events.size() - 1),
            .digest = encoded.digest,
            .time = last.batch->events.back().at};
    taken += of_frame.size();
  }
  if (auto appended = store_.append(frames); !appended) return std::unexpected(appended.error());
  std::lock_guard guard(mutex_);
  tail_ = tail;
  return taken;
}

void Writer::report_failure(const Error& error) {
  std::deque<Pending> dropped;
  {
    std::lock_guard guard(mutex_);
    condition_ = error.code == ErrorCode::storage_full ? Condition::refused : Condition::broken;
    dropped.swap(queue_);
  }
  on_commit_({.through = tail_.last, .error = error});
}

}  // namespace almanac
