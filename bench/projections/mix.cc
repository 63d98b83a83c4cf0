#include <almanac/bench/projections/mix.h>

#include <almanac/log/append.h>
#include <almanac/log/error.h>

namespace almanac::bench {
namespace {

constexpr std::array<std::string_view, 4> queues = {"default", "mail", "render", "reports"};
constexpr std::array<std::string_view, 4> kinds = {"send", "resize", "summarise", "index"};
constexpr std::array<std::string_view, 8> tags = {
    "red", "nightly", "customer-17", "customer-4711", "trial", "urgent", "import", "backfill"};
const Time beginning{std::chrono::seconds(1'750'000'000)};

template <class Make>
std::shared_ptr<const EventBatch> batch_of(std::size_t count, Make make) {
  std::vector<Event> events;
  std::deque<std::string> keys;
  for (std::size_t i = 0; i < count; ++i) {
    events.push_back(make().event);
    keys.emplace_back(events.back().idempotency_key);
    events.back().idempotency_key = keys.back();
    // Its list of tags lies in the mix.
    auto* enqueued = std::get_if<TaskEnqueued>(&events.back().body);
    if (enqueued == nullptr || enqueued->tags.size() == 0) continue;
    for (const std::string_view& tag : tags) {
      if (tag == enqueued->tags[0]) enqueued->tags = NameListView(std::span(&tag, 1));
    }
  }
  return own_events(events);
}

}  // namespace

Mix::Mix() = default;

RecordedEvent Mix::record(EventBody body, std::string_view key) {
  ++position_;
  Event event{.at = beginning + Duration(position_ * 40), .idempotency_key = key};
  event.body = std::move(body);
  return {Position(position_), event};
}

RecordedEvent Mix::enqueue() {
  const TaskId id(++tasks_);
  const std::size_t lane = draw(lane_count);
  const std::uint64_t luck = draw(10);
  const std::size_t priority = luck == 0 ? 0 : luck == 1 ? 2 : 1;
  ready_[lane][priority].push_back(id);
  TaskEnqueued event{.id = id,
                     .kind = kinds[lane % kinds.size()],
                     .queue = queues[lane / kinds.size()],
                     .priority = 1 - static_cast<std::int32_t>(priority),
                     .timeout = std::chrono::minutes(5),
                     .attempts_max = 3};
  if (draw(10) == 0) {
    tags_[0] = tags[draw(tags.size())];
    event.tags = NameListView(tags_);
  }
  key_.clear();
  if (draw(10) == 0) key_ = "order/2026/" + std::to_string(id.value * 7'919);
  return record(event, key_);
}

RecordedEvent Mix::next() {
  switch (turn_++ % 3) {
    case 0: return enqueue();
    case 1: return start();
    default: return running_.size() < running_aim ? start() : finish();
  }
}

// As the engine dispatches: the highest priority, then the smallest number, of all lanes.
RecordedEvent Mix::start() {
  std::deque<TaskId>* best = nullptr;
  for (std::size_t priority = 0; best == nullptr; ++priority) {
    for (auto& lane : ready_) {
      auto& tasks = lane[priority];
      if (!tasks.empty() && (best == nullptr || tasks.front() < best->front())) best = &tasks;
    }
  }
  const TaskId id = best->front();
  best->pop_front();
  running_.push_back({id, Lease(position_ + 1)});
  return record(TaskStarted{.id = id, .attempt = 1});
}

RecordedEvent Mix::finish() {
  std::swap(running_[draw(running_.size())], running_.back());
  const Attempt attempt = running_.back();
  running_.pop_back();
  return record(TaskSucceeded{.id = attempt.id, .lease = attempt.lease});
}

std::shared_ptr<const EventBatch> enqueue_batch(Mix& mix, std::size_t count) {
  return batch_of(count, [&] { return mix.enqueue(); });
}

std::shared_ptr<const EventBatch> mixed_batch(Mix& mix, std::size_t count) {
  return batch_of(count, [&] { return mix.next(); });
}

}  // namespace almanac::bench
