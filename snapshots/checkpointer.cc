#include <almanac/snapshots/checkpointer.h>

#include <almanac/log/this_thread.h>
#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/retention.h>
#include <almanac/snapshots/shared_checkpoint.h>
#include <almanac/snapshots/whole_file.h>

#include <algorithm>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

namespace almanac {
namespace {

namespace fs = std::filesystem;

// After each try, so many times what it took: a tenth of one processor at most.
constexpr int rest_factor = 9;
constexpr std::chrono::minutes checkpoint_retry_max{1};
// What they may take of the log's bytes, beside what is always little.
constexpr std::uint64_t log_share = 3;
constexpr std::uint64_t bytes_always = 8 * limits::mebibyte;

}  // namespace

Checkpointer::Checkpointer(Surroundings surroundings, const CheckpointPolicy& policy,
                           Position newest)
    : surroundings_(std::move(surroundings)),
      policy_(policy),
      wanted_from_(newest.value + policy.events),
      newest_(newest),
      looked_at_(Clock::now()),
      rested_at_(looked_at_) {
  thread_ = std::thread([this] { run(); });
}

Checkpointer::~Checkpointer() {
  {
    std::lock_guard guard(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Checkpointer::moved(Position position) {
  if (position.value < wanted_from_.load(std::memory_order_relaxed)) return;
  {
    std::lock_guard guard(mutex_);
    if (position.value < wanted_from_) return;
    wanted_from_ = UINT64_MAX;
    enough_ = true;
  }
  changed_.notify_all();
}

Result<void> Checkpointer::write_now() {
  std::unique_lock lock(mutex_);
  const auto mine = ++asked_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return tried_ >= mine; });
  return outcome_;
}

void Checkpointer::run() {
  this_thread::set_name("almanac-states");
  this_thread::give_way();
  remove_unfinished(checkpoints_folder(surroundings_.folder));
  remove_unneeded_blocks(checkpoints_folder(surroundings_.folder));
  while (wait_until_due()) try_one();
  const auto state = surroundings_.state();
  if (state->position.value - newest_.value >= policy_.events_at_stop) (void)write(*state);
}

// False when it is to end.
bool Checkpointer::wait_until_due() {
  std::unique_lock lock(mutex_);
  const auto is_hurried = [this] { return ending_ || asked_ > tried_; };
  changed_.wait_until(lock, rested_at_, is_hurried);
  changed_.wait_until(lock, looked_at_ + policy_.period, [&] { return is_hurried() || enough_; });
  return !ending_;
}

// Whoever asked before the state was taken has an answer.
void Checkpointer::try_one() {
  std::unique_lock lock(mutex_);
  const auto asked = asked_;
  lock.unlock();
  looked_at_ = Clock::now();
  const auto state = surroundings_.state();
  Result<void> outcome;
  if (state->position != newest_) {
    outcome = write(*state);
  } else {
    allow_trim(*state);
  }
  lock.lock();
  outcome_ = std::move(outcome);
  tried_ = asked;
  changed_.notify_all();
}

Result<void> Checkpointer::write(const State& state) {
  const auto began = Clock::now();
  auto written = keep_checkpoint(surroundings_.log, surroundings_.folder, state);
  if (written) {
    second_ = std::exchange(newest_, state.position);
    thin();
    allow_trim(state);
  }
  const auto ended = Clock::now();
  const auto took = ended - began;
  rested_at_ = ended + rest_factor * took;
  if (!written) {
    rested_at_ = std::max(rested_at_,
                          ended + std::min<Clock::duration>(policy_.period, checkpoint_retry_max));
  }
  {
    std::lock_guard guard(mutex_);
    wanted_from_ = newest_.value + policy_.events;
    enough_ = false;
  }
  surroundings_.report({state.position, written, took});
  if (!written) return std::unexpected(written.error());
  return {};
}

// Those between the two that are known to be whole were refused, and behind them nothing is of this
// log: neither counts, and it is for a person to remove them.
void Checkpointer::thin() const {
  const auto base = surroundings_.log.base();
  const auto size = surroundings_.log.size();
  if (!base || !size) return;
  std::vector<CheckpointFile> files;
  std::vector<Position> gone;
  std::error_code none;
  for (const Position position : checkpoints_of(surroundings_.folder)) {
    if (position > second_ && position != newest_) continue;
    // Nothing leads on from what lies in front of the log.
    position < base->last ? gone.push_back(position) : files.push_back(described(position));
  }
  const auto log_bytes = size->store_bytes - size->store_free_bytes;
  std::ranges::copy(
      too_many(std::move(files), {.begin = base->last,
                                  .count_max = policy_.count_max,
                                  .bytes_max = std::max(log_bytes / log_share, bytes_always)}),
      std::back_inserter(gone));
  for (const Position position : gone) {
    fs::remove(checkpoint_file(surroundings_.folder, position), none);
  }
  if (!gone.empty()) remove_unneeded_blocks(checkpoints_folder(surroundings_.folder));
}

CheckpointFile Checkpointer::described(Position position) const {
  const auto path = checkpoint_file(surroundings_.folder, position);
  std::error_code none;
  const auto bytes = fs::file_size(path, none);
  return {position, none ? 0 : bytes, rests_on(path).value_or(std::vector<BlocksFile>())};
}

// Where it cannot be said now, it is said behind the next one; a program may have promised more.
void Checkpointer::allow_trim(const State& state) const {
  auto through = second_;
  if (const Position needed = first_needed(state).position) {
    through = std::min(through, Position(needed.value - 1));
  }
  if (through) (void)surroundings_.log.set_checkpoint(through);
}

}  // namespace almanac
