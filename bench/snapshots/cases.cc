#include <almanac/bench/snapshots/cases.h>

#include <almanac/bench/processor_time.h>
#include <almanac/bench/require.h>
#include <almanac/bench/snapshots/appends.h>
#include <almanac/bench/snapshots/archiving.h>
#include <almanac/bench/snapshots/history.h>
#include <almanac/bench/snapshots/process.h>
#include <almanac/bench/stopwatch.h>
#include <almanac/projections/persistent/node_pool.h>
#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/past_states.h>
#include <almanac/snapshots/rebuild.h>
#include <almanac/snapshots/shared_checkpoint.h>
#include <almanac/snapshots/state_at.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <random>
#include <thread>

namespace almanac::bench {
namespace {

namespace fs = std::filesystem;
using Numbers = std::vector<std::uint64_t>;

double bytes_in(const fs::path& folder) {
  double bytes = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += static_cast<double>(entry.file_size());
  }
  return bytes;
}
std::uint64_t nanoseconds(const Stopwatch& watch) {
  return static_cast<std::uint64_t>(watch.elapsed().count());
}
std::uint64_t worked_nanoseconds() { return static_cast<std::uint64_t>(processor_seconds() * 1e9); }
std::vector<double> in_units_of(double nanoseconds, const Numbers& numbers) {
  std::vector<double> values;
  for (const std::uint64_t number : numbers) {
    values.push_back(static_cast<double>(number) / nanoseconds);
  }
  return values;
}

State checked(Result<State> state, const Digest& expected) {
  require(state.has_value(), state ? "" : describe(state.error()));
  require(digest(*state) == expected, "a past state is another than it was");
  return std::move(*state);
}

void ask_cold(Measured& measured, const fs::path& folder, const Answers& answers) {
  for (const auto& answer : answers) {
    const auto took = in_process([&]() -> Numbers {
      const auto log = open_log(folder, Access::read);
      const Stopwatch watch;
      const std::uint64_t worked = worked_nanoseconds();
      auto state = state_at(*log, folder, answer.first);
      const auto time = nanoseconds(watch);
      const std::uint64_t work = worked_nanoseconds() - worked;
      (void)checked(std::move(state), answer.second);
      return {time, work};
    });
    measured.cold_ms.push_back(in_units_of(1e6, took).front());
    measured.cold_processor_ms.push_back(in_units_of(1e6, took).back());
  }
}

// Other positions than those it was asked for before, five times as many: of each how long it took,
// and how long processors worked.
Numbers ask_again(const PastStates& past, const Answers& answers) {
  std::mt19937_64 random(4'711);
  Numbers times;
  while (times.size() < answers.size() * 5 * 2) {
    const Position position(1 + random() % answers.rbegin()->first.value);
    const Stopwatch watch;
    const std::uint64_t worked = worked_nanoseconds();
    auto state = past.at(position);
    times.push_back(nanoseconds(watch));
    times.push_back(worked_nanoseconds() - worked);
    require(state && state->position == position, "a past state is at another position");
  }
  return times;
}

void ask_warm(Measured& measured, const fs::path& folder, const Answers& answers) {
  auto numbers = in_process([&]() -> Numbers {
    const auto log = open_log(folder, Access::read);
    const PastStates past(*log, folder);
    for (const auto& [position, expected] : answers) (void)checked(past.at(position), expected);
    Numbers times = ask_again(past, answers);
    times.push_back(past.kept());
    times.push_back(node_pool::used_bytes());
    return times;
  });
  measured.warm_bytes = static_cast<double>(numbers.back());
  numbers.pop_back();
  measured.warm_states = numbers.back();
  numbers.pop_back();
  const auto all = in_units_of(1e6, numbers);
  for (std::size_t i = 0; i < all.size(); i += 2) {
    measured.warm_ms.push_back(all[i]);
    measured.warm_processor_ms.push_back(all[i + 1]);
  }
}

// Open and load, and drop the state; how many tasks it has.
void start(Measured& measured, const fs::path& folder, const Digest& expected) {
  const auto numbers = in_process([&]() -> Numbers {
    const Stopwatch starting;
    const auto log = open_log(folder, Access::read);
    auto result = state_at(*log, folder);
    const auto started = nanoseconds(starting);
    State state = checked(std::move(result), expected);
    result = State();
    const std::uint64_t tasks = state.tasks.all.size();
    const Stopwatch dropping;
    state = State();
    return {started, nanoseconds(dropping), tasks};
  });
  measured.start_seconds.push_back(static_cast<double>(numbers[0]) / 1e9);
  measured.unload_ms.push_back(static_cast<double>(numbers[1]) / 1e6);
  measured.tasks = numbers[2];
}

void fold_all(Measured& measured, const fs::path& folder, const Digest& expected) {
  const auto took = in_process([&]() -> Numbers {
    const auto log = open_log(folder, Access::read);
    const Stopwatch watch;
    auto state = rebuild(*log);
    const auto time = nanoseconds(watch);
    (void)checked(std::move(state), expected);
    return {time};
  });
  measured.fold_seconds = in_units_of(1e9, took).front();
}

struct Appends {
  std::vector<double> alone;
  std::vector<double> beside;
  std::vector<double> checkpoint_seconds;
  double checkpoint_bytes = 0;
};

// Whole checkpoints, one behind the other, for about as long as the appends alone.
void append_beside(Appends& appends, Log& log, const fs::path& folder, const State& state,
                   double seconds) {
  std::atomic<bool> written = false;
  std::jthread writer([&] {
    const Stopwatch all;
    while (all.seconds() < seconds) {
      // Of what it has in common with itself nothing would be written.
      fs::remove(checkpoint_file(folder, state.position));
      remove_unneeded_blocks(checkpoints_folder(folder));
      const Stopwatch watch;
      auto bytes = keep_checkpoint(log, folder, state);
      require(bytes.has_value(), "a checkpoint is not written");
      appends.checkpoint_seconds.push_back(watch.seconds());
      appends.checkpoint_bytes = static_cast<double>(*bytes);
    }
    written = true;
  });
  std::ranges::copy(append_while(log, [&] { return !written; }),
                    std::back_inserter(appends.beside));
}

void append_all(Measured& measured, const Sizes& sizes, const fs::path& folder) {
  const auto log = open_log(folder, Access::write);
  auto state = state_at(*log, folder);
  require(state.has_value(), "there is no state");
  Appends appends;
  for (int round = 0; round < sizes.rounds; ++round) {
    const Stopwatch watch;
    std::ranges::copy(append_while(*log, [&] { return watch.seconds() < sizes.append_seconds; }),
                      std::back_inserter(appends.alone));
    append_beside(appends, *log, folder, *state, sizes.append_seconds);
  }
  measured.append_p99_us = percentile(appends.alone, 99);
  measured.append_beside_p99_us = percentile(appends.beside, 99);
  measured.checkpoint_seconds = appends.checkpoint_seconds;
  measured.checkpoint_bytes = appends.checkpoint_bytes;
  measure_archiving(measured, sizes, *log, folder);
}

}  // namespace

double percentile(std::vector<double> values, double percent) {
  std::ranges::sort(values);
  const double rank = std::ceil(percent / 100 * static_cast<double>(values.size()));
  return values.at(static_cast<std::size_t>(std::max(rank, 1.0)) - 1);
}

Measured measure(const Shape& shape, const Sizes& sizes, const fs::path& folder) {
  Measured measured{.shape = shape};
  const Answers answers = write_history(shape, sizes, folder);
  const Digest& at_end = answers.rbegin()->second;
  measured.checkpoints = checkpoints_of(folder).size();
  measured.checkpoints_bytes = bytes_in(checkpoints_folder(folder));
  measured.log_bytes = bytes_in(folder / "log");
  for (int round = 0; round < sizes.rounds; ++round) start(measured, folder, at_end);
  ask_cold(measured, folder, answers);
  ask_warm(measured, folder, answers);
  fold_all(measured, folder, at_end);
  append_all(measured, sizes, folder);
  return measured;
}

}  // namespace almanac::bench
