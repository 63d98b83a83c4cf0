// The life of a scheduler as events, made up from one seed: tasks of sixteen lanes (queue and kind)
// and three priorities are enqueued, leased in the order in which the engine dispatches, and
// succeed a little later in another order than they began. One in ten has an idempotency key, one
// in ten a tag.
#pragma once

#include <almanac/log/event.h>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace almanac::bench {

// One thread. The events it hands out are legal, and at positions 1, 2, 3 …
class Mix {
 public:
  Mix();

  // One more task. The views live until the next call.
  [[nodiscard]] RecordedEvent enqueue();
  // Enqueue, lease, finish in turn, so that the number of live tasks stays what it is.
  [[nodiscard]] RecordedEvent next();

  [[nodiscard]] std::uint64_t position() const { return position_; }

 private:
  static constexpr std::size_t lane_count = 16;
  static constexpr std::size_t priority_count = 3;
  // As many attempts run at a time; fewer tasks would run dry.
  static constexpr std::size_t running_aim = 64;

  struct Attempt {
    TaskId id;
    Lease lease;
  };

  [[nodiscard]] RecordedEvent record(EventBody body, std::string_view key = {});
  [[nodiscard]] RecordedEvent start();
  [[nodiscard]] RecordedEvent finish();
  [[nodiscard]] std::uint64_t draw(std::uint64_t below) { return random_() % below; }

  std::mt19937_64 random_{20'260'101};
  std::uint64_t position_ = 0;
  std::uint64_t tasks_ = 0;
  std::uint64_t turn_ = 0;
  // By lane, the highest priority first.
  std::array<std::array<std::deque<TaskId>, priority_count>, lane_count> ready_;
  std::vector<Attempt> running_;
  std::string key_;
  std::array<std::string_view, 1> tags_;
};

// `count` events from `mix` as one batch that owns what it points at.
[[nodiscard]] std::shared_ptr<const EventBatch> enqueue_batch(Mix& mix, std::size_t count);
[[nodiscard]] std::shared_ptr<const EventBatch> mixed_batch(Mix& mix, std::size_t count);

}  // namespace almanac::bench
