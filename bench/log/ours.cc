#include <almanac/bench/log/ours.h>

#include <algorithm>
#include <chrono>

namespace almanac::bench {
namespace {

constexpr std::string_view event_type = "bench.event";

Record record_of(const RecordedEvent& recorded) {
  return {.position = recorded.position.value,
          .time = recorded.event.at.time_since_epoch().count(),
          .payload = std::get<CustomEvent>(recorded.event.body).data};
}

}  // namespace

void Ours::open() {
  auto told = [this](const CommitReport& report) {
    require(!report.error, report.error ? describe(*report.error) : "");
    durable_.set(report.through.value);
  };
  auto opened = Log::open(folder_, {.on_commit = told});
  require(opened.has_value(), opened ? "" : describe(opened.error()));
  log_ = std::move(*opened);
  count_ = log_->opened_tail().last.value;
  latest_ = log_->opened_tail().time;
  durable_.reset(count_);
}

std::uint64_t Ours::enqueue(std::span<const Bytes> group) {
  auto batch = std::make_shared<EventBatch>();
  batch->events.reserve(group.size());
  std::lock_guard guard(appending_);
  latest_ = std::max(latest_, Time(Duration(wall_micros())));
  for (Bytes payload : group) {
    batch->events.push_back({.at = latest_, .body = CustomEvent{event_type, payload}});
  }
  auto first = log_->append(std::move(batch));
  require(first.has_value(), first ? "" : describe(first.error()));
  require(first->value == count_ + 1, "a position was left out");
  return count_ += group.size();
}

void Ours::post(std::span<const Bytes> group) { (void)enqueue(group); }

void Ours::append(std::span<const Bytes> group) {
  if (group.size() == 1) {
    append_shared(group.front());
  } else {
    (void)durable_.wait_beyond(enqueue(group) - 1);
  }
}

void Ours::append_shared(Bytes payload) {
  auto done = log_->append_and_wait(Event{.body = CustomEvent{event_type, payload}});
  require(done.has_value(), done ? "" : describe(done.error()));
  ++count_;
}

void Ours::read(const Visit& visit) {
  auto done = log_->read(Position(1), [&](const RecordedEvent& recorded) -> Result<bool> {
    visit(record_of(recorded));
    return true;
  });
  require(done.has_value(), done ? "" : describe(done.error()));
}

ScanSum Ours::scan() {
  ScanSum sum;
  auto done = log_->read(Position(1), [&](const RecordedEvent& recorded) -> Result<bool> {
    sum.add(record_of(recorded));
    return true;
  });
  require(done.has_value(), done ? "" : describe(done.error()));
  return sum;
}

System ours() {
  return {
      .name = "almanac",
      .settings = "default options",
      .make = [](const std::filesystem::path& folder) { return std::make_unique<Ours>(folder); }};
}

}  // namespace almanac::bench
