#include <almanac/tools/interrupt.h>
#include <almanac/tools/keyboard.h>
#include <almanac/tools/past.h>
#include <almanac/tools/past_commands.h>
#include <almanac/tools/replay_screen.h>
#include <almanac/tools/replay_steps.h>
#include <almanac/tools/text.h>

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <optional>

namespace almanac {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t step_columns = 80;
// Nobody watches a night in which nothing happens.
constexpr Duration pause_max = std::chrono::seconds(2);

// Keeps the pace at which the events were recorded, so many times as fast.
class Pace {
 public:
  explicit Pace(std::uint64_t speed) : speed_(static_cast<std::int64_t>(speed)) {}

  // Waits until the event of that time is due. False: no more of them are wanted.
  bool wait_for(Time at) {
    if (last_ != Time()) due_ += std::min((at - last_) / speed_, pause_max);
    last_ = at;
    std::fflush(stdout);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due_ - Clock::now());
    return interrupt_.wait(std::max(left, {})) == Interrupt::Woken::by_time;
  }

 private:
  Interrupt interrupt_;
  std::int64_t speed_;
  Time last_;
  Clock::time_point due_ = Clock::now();
};

void print(const ReplayStep& step, bool json) {
  if (json) {
    fmt::print("{{\"event\":{},\"changes\":{}}}\n", step.event, step.changes);
  } else {
    fmt::print("{}\n{}\n", cut(step.event, step_columns), step.changes);
  }
}

Result<void> play(ReplaySteps& steps, const PastRange& range, const ReplayCommand& command) {
  std::optional<Pace> pace;
  if (command.speed != 0) pace.emplace(command.speed);
  for (Position position = range.from.next(); position <= range.to; position = position.next()) {
    auto step = steps.at(position);
    if (!step) return std::unexpected(step.error());
    if (pace && !pace->wait_for(step->at)) return {};
    print(*step, command.json);
  }
  return {};
}

Result<void> show(const Log& log, ReplaySteps& steps, const PastRange& range) {
  Interrupt interrupt;
  Keyboard keyboard(interrupt);
  return ReplayScreen(log, steps, range).run(keyboard);
}

}  // namespace

ExitCode replay(const ReplayCommand& command) {
  if (command.step && !Keyboard::is_there()) {
    return report({ErrorCode::invalid, "--step needs a terminal to read keys from and to draw on",
                   "leave it out to print every step, one below the other"});
  }
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return report(log.error());
  auto range = find_range(**log, command.folder, {command.from, command.to});
  if (!range) return report(range.error());
  const auto format = command.json ? ReplaySteps::Format::json : ReplaySteps::Format::text;
  ReplaySteps steps(**log, command.folder, format);
  auto done = command.step ? show(**log, steps, *range) : play(steps, *range, command);
  return done ? ExitCode::ok : report(done.error());
}

}  // namespace almanac
