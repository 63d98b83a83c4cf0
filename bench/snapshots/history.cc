#include <almanac/bench/snapshots/history.h>

#include <almanac/bench/projections/mix.h>
#include <almanac/bench/require.h>
#include <almanac/bench/snapshots/process.h>
#include <almanac/projections/state.h>
#include <almanac/snapshots/checkpointer.h>

#include <bit>
#include <random>

namespace almanac::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t append_events = 1'000;
using DigestNumbers = std::array<std::uint64_t, sizeof(Digest) / sizeof(std::uint64_t)>;

Answers questions(const Sizes& sizes) {
  std::mt19937_64 random(20'260'101);
  Answers answers;
  answers[Position(sizes.events)];
  while (answers.size() <= sizes.questions) answers[Position(1 + random() % sizes.events)];
  return answers;
}

void append(Log& log, const EventBatch& batch, Durability durability) {
  auto done = log.append_and_wait(batch.events, {.durability = durability});
  require(done.has_value(), done ? "" : describe(done.error()));
}

// The digests of the states asked for, in order.
std::vector<std::uint64_t> write(const Shape& shape, const Sizes& sizes, const fs::path& folder) {
  const auto log = open_log(folder, Access::write);
  Answers wanted = questions(sizes);
  auto question = wanted.begin();
  std::vector<std::uint64_t> digests;
  Mix mix;
  State state;
  auto kept = std::make_shared<const State>();
  // As an engine writes and keeps them, but for the last one.
  Checkpointer checkpointer({.log = *log,
                             .folder = folder,
                             .state = [&] { return kept; },
                             .report = [](const CheckpointReport&) {}},
                            {.events_at_stop = UINT64_MAX}, {});
  while (state.position.value < sizes.events) {
    const auto batch = state.position.value < shape.live ? enqueue_batch(mix, append_events)
                                                         : mixed_batch(mix, append_events);
    // None at the end: a start has all the tail to fold that there can be.
    const std::uint64_t next = state.position.value + append_events;
    const bool checkpoint_follows = next % sizes.checkpoint_every == 0 && next < sizes.events;
    append(*log, *batch, checkpoint_follows ? Durability::durable : Durability::grouped);
    for (const Event& event : batch->events) {
      fold_into(state, {state.position.next(), event});
      if (question == wanted.end() || question->first != state.position) continue;
      const auto numbers = std::bit_cast<DigestNumbers>(digest(state));
      digests.insert(digests.end(), numbers.begin(), numbers.end());
      ++question;
    }
    if (!checkpoint_follows) continue;
    kept = std::make_shared<const State>(state);
    require(checkpointer.write_now().has_value(), "a checkpoint is not written");
  }
  require(state.ignored == 0, "the mix is not legal");
  return digests;
}

}  // namespace

std::unique_ptr<Log> open_log(const fs::path& folder, Access access) {
  auto log = Log::open(folder, {.access = access, .index = false});
  require(log.has_value(), log ? "" : describe(log.error()));
  return std::move(*log);
}

Answers write_history(const Shape& shape, const Sizes& sizes, const fs::path& folder) {
  const auto digests = in_process([&] { return write(shape, sizes, folder); });
  Answers answers = questions(sizes);
  DigestNumbers numbers{};
  require(digests.size() == answers.size() * numbers.size(), "a question has no answer");
  auto from = digests.begin();
  for (auto& [position, digest] : answers) {
    std::copy_n(from, numbers.size(), numbers.begin());
    from += numbers.size();
    digest = std::bit_cast<Digest>(numbers);
  }
  return answers;
}

}  // namespace almanac::bench
