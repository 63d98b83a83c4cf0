// What an append may ask for, and what it is answered.
#pragma once

#include <almanac/log/event.h>
#include <almanac/log/journal.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace almanac {

enum class Durability : std::uint8_t {
  durable,  // acknowledged when it is on disk
  grouped,  // acknowledged at once; on disk within LogOptions::grouped_within and one sync
};

// A stream's version is the number of events in it, also of those that were trimmed or are on their
// way to the disk; 0 is a stream that does not exist. So a conflict can be with an append that
// fails afterwards.
struct ExpectedVersion {
  std::string_view stream;
  std::uint64_t version = 0;  // 0 = it must not exist yet
};

struct AppendOptions {
  Durability durability = Durability::durable;
  // `reserve` for events that end what was accepted before: they may use what Log::set_reserve
  // keeps, when other events are refused for lack of space.
  Space space = Space::ordinary;
  // Streams whose version must be just this; of any other, any version will do.
  std::span<const ExpectedVersion> expected = {};
  // Of a durable append by one who has nothing better to do meanwhile: it waits for room, and where
  // nothing else is on its way this thread writes the events itself and returns when they are on
  // disk or refused, which saves two switches of threads.
  bool by_caller = false;
  // Of a batch that the caller has checked himself: what check_batch() has answered, or more, where
  // batches that passed were joined. It is not asked again.
  std::optional<BatchCost> cost = std::nullopt;
};

struct Appended {
  Position first;
  Position last;
  // An earlier append stored it: every event has an idempotency key and is what it was then.
  bool repeated = false;
  bool durable = true;  // false for a grouped append: it is going to be
};

struct PendingFrame;

// An append on its way. Copies freely.
struct AppendTicket {
  Appended appended;
  std::shared_ptr<PendingFrame> frame;  // none when there is nothing to wait for
};

// A copy of the events with all that their views point at. Costs one pass.
[[nodiscard]] std::shared_ptr<EventBatch> own_events(std::span<const Event> events);
// A copy of the events alone, for who keeps what they point at until they are on disk.
[[nodiscard]] std::shared_ptr<EventBatch> borrow_events(std::span<const Event> events);

}  // namespace almanac
