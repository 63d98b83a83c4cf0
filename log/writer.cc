#include <almanac/log/writer.h>

#include <almanac/log/futex.h>
#include <almanac/log/limits.h>
#include <almanac/log/pending_frame.h>
#include <almanac/log/this_thread.h>

#include <algorithm>
#include <utility>

namespace almanac {
namespace {

// For appends that are dropped: nobody will write them.
std::shared_ptr<PendingFrame> refused_frame(Error error) {
  auto frame = std::make_shared<PendingFrame>();
  frame->error = std::move(error);
  frame->done = 1;
  return frame;
}

bool is_full(const PendingFrame& frame) { return frame.cost.bytes >= limits::frame_bytes_target; }

bool fits(const PendingFrame& frame, const EventBatch& batch, const BatchCost& cost) {
  auto time = frame.batches.front()->events.front().at;
  return !is_full(frame) && frame.cost.names + cost.names < limits::frame_names_max &&
         batch.events.back().at - time <= limits::frame_span_max;
}

}  // namespace

Writer::Writer(const Parts& parts, const LogTail& tail, WriterOptions options)
    : parts_(parts),
      options_(std::move(options)),
      next_(tail.last.next()),
      latest_(tail.time),
      tail_(tail) {
  thread_ = std::thread([this] { run(); });
}

Writer::~Writer() { close(); }

void Writer::close() {
  {
    std::lock_guard guard(mutex_);
    closing_ = true;
  }
  work_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Result<AppendTicket> Writer::append(const Request& request) {
  Lock lock(mutex_);
  if (auto room = make_room(lock, request); !room) return std::unexpected(room.error());
  return enqueue(lock, request);
}

Result<AppendTicket> Writer::append_now(const std::shared_ptr<EventBatch>& batch, Request request) {
  Lock lock(mutex_);
  // Others append while this one waits, so the time of the log's end is asked for behind that.
  if (auto room = make_room(lock, request); !room) return std::unexpected(room.error());
  for (Event& event : batch->events) event.at = std::max(event.at, latest_);
  request.batch = batch;
  return enqueue(lock, request);
}

// 1. has it been stored before, may it be stored  2. a place in a frame
Result<AppendTicket> Writer::enqueue(Lock& lock, const Request& request) {
  const EventBatch& batch = *request.batch;
  auto count = batch.events.size();
  if (batch.events.front().at < latest_) {
    return fail(ErrorCode::invalid, "an event is older than the one before it in the log",
                "give it the time of that one");
  }
  if (condition_ == Condition::writing && parts_.index.on()) {
    auto admitted = parts_.index.admit(request.entries, request.options.expected, count);
    if (!admitted) return std::unexpected(admitted.error());
    if (*admitted) {
      auto first = **admitted;
      return repeat({first, Position(first.value + count - 1), true}, request.options.durability);
    }
    if (auto added = parts_.index.add(request.entries, next_); !added) {
      parts_.index.forget_behind(Position(next_.value - 1));
      return std::unexpected(added.error());
    }
  }
  Appended appended{next_, Position(next_.value + count - 1)};
  appended.durable = request.options.durability == Durability::durable;
  latest_ = batch.events.back().at;
  next_ = appended.last.next();
  if (condition_ != Condition::writing) return AppendTicket{appended, refused_frame(failure_)};
  PendingFrame& frame = frame_for(request);
  frame.last = appended.last;
  frame.cost.bytes += request.cost.bytes;
  frame.cost.names += request.cost.names;
  frame.batches.push_back(request.batch);
  if (!request.wait) frame.posted += request.callers;
  pending_bytes_ += request.cost.bytes;
  bool news = is_full(frame) || (queue_.size() == 1 && frame.batches.size() == 1);
  if (appended.durable && !std::exchange(frame.urgent, true)) news = true;
  AppendTicket ticket{appended, queue_.back()};
  if (gathers_) {
    if (is_gathered()) work_.notify_one();
  } else if (request.wait && appended.durable && !writing_ && queue_.size() == 1) {
    write_self(lock, ticket);
  } else if (news || queue_.size() > 1) {
    work_.notify_one();
  }
  return ticket;
}

// What was appended before under its keys may be on its way still: then there is as much to wait
// for as the first time.
AppendTicket Writer::repeat(const Appended& stored, Durability durability) {
  AppendTicket ticket{stored, nullptr};
  if (stored.last <= tail_.last) return ticket;
  ticket.appended.durable = durability == Durability::durable;
  if (taken_ && taken_->last >= stored.last) {
    ticket.frame = taken_;
    return ticket;
  }
  auto frame = std::ranges::find_if(
      queue_, [&](const auto& waiting) { return waiting->last >= stored.last; });
  ALMANAC_CHECK(frame != queue_.end());
  ticket.frame = *frame;
  if (ticket.appended.durable && !std::exchange(ticket.frame->urgent, true)) work_.notify_one();
  return ticket;
}

bool Writer::is_gathered() const {
  if (queue_.empty()) return gathering_.complete(0);
  const PendingFrame& front = *queue_.front();
  return queue_.size() > 1 || is_full(front) || gathering_.complete(front.posted);
}

Result<void> Writer::make_room(Lock& lock, const Request& request) {
  if (condition_ == Condition::broken && options_.after_refusal == AfterRefusal::resume) {
    return std::unexpected(failure_);
  }
  auto has_room = [&] {
    return pending_bytes_ == 0 || pending_bytes_ + request.cost.bytes <= options_.pending_bytes_max;
  };
  if (has_room()) return {};
  if (!request.wait) {
    return fail(ErrorCode::busy, "the log has more to write than it may keep in memory",
                "append again when a commit has been reported");
  }
  ++waiting_for_room_;
  room_.wait(lock, has_room);
  --waiting_for_room_;
  return {};
}

// The last frame that waits, or a new one.
PendingFrame& Writer::frame_for(const Request& request) {
  if (!queue_.empty()) {
    PendingFrame& last = *queue_.back();
    if (last.space == request.options.space && fits(last, *request.batch, request.cost)) {
      return last;
    }
  }
  auto frame = std::make_shared<PendingFrame>();
  frame->first = Position(next_.value - request.batch->events.size());
  frame->space = request.options.space;
  frame->write_by = std::chrono::steady_clock::now() + options_.grouped_within;
  queue_.push_back(frame);
  return *frame;
}

// Of those who wait, the writer wakes one: the others can be woken while it writes the next frame.
Result<void> Writer::wait(const AppendTicket& ticket) {
  if (!ticket.frame) return {};
  auto& done = ticket.frame->done;
  while (done.load(std::memory_order_acquire) == 0) futex_wait(done, 0, FutexScope::process);
  const bool is_first = done.load(std::memory_order_relaxed) == 1 && done.exchange(2) == 1;
  if (is_first) futex_wake(done, FutexScope::process);
  if (ticket.frame->error) return std::unexpected(*ticket.frame->error);
  return {};
}

bool Writer::resume_when_done(const AppendTicket& ticket, std::coroutine_handle<> handle) {
  if (!ticket.frame) return false;
  std::lock_guard guard(mutex_);
  if (ticket.frame->done.load(std::memory_order_acquire) != 0) return false;
  ticket.frame->resumes.push_back(handle);
  return true;
}

void Writer::resume() {
  std::lock_guard guard(mutex_);
  if (condition_ == Condition::refused) go_on();
}

void Writer::go_on() {
  condition_ = Condition::writing;
  next_ = tail_.last.next();
  latest_ = tail_.time;
}

LogTail Writer::tail() const {
  std::lock_guard guard(mutex_);
  return tail_;
}

void Writer::run() {
  this_thread::set_name("almanac-write");
  while (auto frame = take()) {
    const auto began = Gathering::Clock::now();
    write(*frame);
    const auto now = Gathering::Clock::now();
    std::lock_guard guard(mutex_);
    writing_ = false;
    const auto waiting = queue_.empty() ? 0 : queue_.back()->posted;
    gathering_.written(frame->posted, waiting, now, now - began);
  }
}

// Nothing is on its way, so this thread, which would wait anyway, writes what it has appended.
void Writer::write_self(Lock& lock, const AppendTicket& ticket) {
  writing_ = true;
  taken_ = ticket.frame;
  queue_.pop_front();
  lock.unlock();
  write(*ticket.frame);
  lock.lock();
  writing_ = false;
  if (!queue_.empty() || closing_) work_.notify_one();
}

void Writer::write(PendingFrame& frame) {
  if (auto committed = commit(frame); !committed) return report_failure(frame, committed.error());
  options_.on_commit({.through = frame.last, .error = {}});
  finish(frame, {});
}

// Waits for a frame that is full, that somebody waits for or whose time has come. None when the
// writer closes.
std::shared_ptr<PendingFrame> Writer::take() {
  Lock lock(mutex_);
  while (true) {
    gathers_ = true;
    work_.wait_until(lock, gathering_.until(), [this] { return closing_ || is_gathered(); });
    gathers_ = false;
    work_.wait(lock, [this] { return !writing_ && (closing_ || !queue_.empty()); });
    if (queue_.empty()) return nullptr;
    auto front = queue_.front();
    work_.wait_until(lock, front->write_by, [&] {
      return closing_ || queue_.size() > 1 || front->urgent || is_full(*front) || writing_;
    });
    if (writing_ || queue_.empty()) continue;  // somebody wrote it himself
    front = std::move(queue_.front());
    queue_.pop_front();
    writing_ = true;
    taken_ = front;
    return front;
  }
}

// 1. encode with the digest of the frame before  2. journal, one sync; its own digest, which the
// next frame names, is made meanwhile  3. let readers see it  4. only then move the tail, and with
// it the mark, up to which is read: whoever knows of the one finds the other there
Result<void> Writer::commit(const PendingFrame& frame) {
  if (auto room = parts_.recent.wait_for_room(frame.space); !room) return room;
  if (frame.space == Space::ordinary && options_.check_space) {
    if (auto space = options_.check_space(); !space) return space;
  }
  std::vector<const EventBatch*> batches;
  batches.reserve(frame.batches.size());
  for (const auto& batch : frame.batches) batches.push_back(batch.get());
  FrameHeader header{.timeline = parts_.timeline,
                     .first = frame.first,
                     .time = batches.front()->events.front().at,
                     .previous = tail_.digest};
  const FrameView draft{frame.first, frame.last,
                        encoder_.encode_draft(header, batches, frame.cost.bytes)};
  digester_.start(encoder_.message());
  auto appended = parts_.journal.append(draft, frame.space);
  auto encoded = encoder_.complete(digester_.finish());
  if (!appended) {
    if (appended.error().code == ErrorCode::storage_full) parts_.recent.ask_for_room();
    return appended;
  }
  parts_.recent.add(own_frame({frame.first, frame.last, encoded.value}));
  {
    std::lock_guard guard(mutex_);
    tail_ = {frame.last, encoded.digest, batches.back()->events.back().at};
    parts_.mark.set(frame.last);
  }
  parts_.mark.wake();
  return {};
}

void Writer::finish(PendingFrame& frame, const std::optional<Error>& error) {
  std::vector<std::coroutine_handle<>> resumes;
  std::vector<std::shared_ptr<const EventBatch>> batches;  // let go without the lock
  bool waited_for_room = false;
  {
    std::lock_guard guard(mutex_);
    waited_for_room = waiting_for_room_ > 0;
    pending_bytes_ -= frame.cost.bytes;
    frame.error = error;
    batches.swap(frame.batches);
    resumes.swap(frame.resumes);
    frame.done.store(1, std::memory_order_release);
  }
  batches.clear();
  futex_wake(frame.done, FutexScope::process, 1);
  if (waited_for_room) room_.notify_all();
  if (resumes.empty()) return;
  if (options_.resume) return options_.resume(resumes);
  for (auto handle : resumes) handle.resume();
}

void Writer::report_failure(PendingFrame& frame, const Error& error) {
  std::deque<std::shared_ptr<PendingFrame>> dropped;
  {
    std::lock_guard guard(mutex_);
    bool full = error.code == ErrorCode::storage_full;
    condition_ = full ? Condition::refused : Condition::broken;
    failure_ = error;
    dropped.swap(queue_);
    taken_.reset();  // its positions will be those of others
    parts_.index.forget_behind(tail_.last);
    if (full && options_.after_refusal == AfterRefusal::resume) go_on();
  }
  options_.on_commit({.through = tail_.last, .error = error});
  finish(frame, error);
  for (auto& one : dropped) finish(*one, error);
}

}  // namespace almanac
