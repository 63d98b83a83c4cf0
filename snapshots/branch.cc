#include <almanac/snapshots/branch.h>

#include <almanac/log/hash.h>
#include <almanac/log/log.h>
#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/limits.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace almanac {
namespace {

namespace fs = std::filesystem;

Result<void> keep_beginning(const fs::path& folder, const State& state) {
  auto log = Log::open(folder, {.access = Access::read});
  if (!log) return std::unexpected(log.error());
  auto kept = keep_checkpoint(**log, folder, state);
  return kept ? Result<void>() : std::unexpected(kept.error());
}

}  // namespace

void stop_engine(const State& state, Time at, std::vector<Event>& events) {
  if (state.engine.running) events.push_back({.at = at, .body = EngineStopped{}});
}

Result<LogBranch> LogBranch::begin(const fs::path& folder, Beginning beginning) {
  LogBranch branch;
  branch.report_.origin = beginning.origin;
  branch.report_.origin.chain = beginning.base.digest;
  fill_random(branch.report_.timeline);
  auto import = LogImport::begin(folder, branch.report_.timeline, beginning.base);
  if (!import) return std::unexpected(import.error());
  branch.import_ = std::move(*import);
  branch.read_back_ =
      std::make_unique<ReadBack>(*branch.import_, beginning.base, std::move(beginning.fold));
  branch.first_ = std::move(beginning.first);
  return branch;
}

Result<bool> LogBranch::add(const FrameReader& frame) {
  const FrameHeader& header = frame.header();
  const Position through = report_.origin.position;
  ALMANAC_CHECK(header.first == last().next() && header.first <= through);
  auto added = header.last() <= through ? import_->add(frame) : add_front(frame);
  if (!added) return std::unexpected(added.error());
  report_.origin.chain = frame.digest();
  return read_back_->go_on(import_->committed()) && last() < through;
}

// Of a frame in which the origin's position lies.
Result<void> LogBranch::add_front(const FrameReader& frame) {
  const FrameHeader& header = frame.header();
  std::vector<Event> events(report_.origin.position.value - header.first.value + 1);
  for (std::uint32_t i = 0; i < events.size(); ++i) {
    if (auto read = frame.read(i, events[i]); !read) return read;
  }
  return import_->add(header.time, std::move(events));
}

Result<void> LogBranch::read_back() {
  if (auto committed = import_->commit(); !committed) return committed;
  (void)read_back_->go_on(import_->committed());
  auto state = read_back_->finish();
  if (!state) return std::unexpected(state.error());
  state_ = std::move(*state);
  return {};
}

Result<void> LogBranch::part(const std::vector<Event>& events) {
  for (const Event& event : events) fold_into(state_, {state_.position.next(), event});
  ALMANAC_CHECK(state_.tasks.running.empty() && !state_.engine.running);
  for (std::size_t begin = 0; begin < events.size(); begin += limits::parting_events_max) {
    const auto end = std::min(begin + limits::parting_events_max, events.size());
    const std::span frame(events.begin() + std::ptrdiff_t(begin),
                          events.begin() + std::ptrdiff_t(end));
    auto added = import_->add(frame.front().at, {frame.begin(), frame.end()});
    if (!added) return added;
  }
  return {};
}

Result<BranchReport> LogBranch::finish(const std::vector<Event>& parting, const Check& check) {
  ALMANAC_CHECK(last() == report_.origin.position && state_.position == last());
  if (auto said = import_->set_origin(report_.origin); !said) {
    return std::unexpected(said.error());
  }
  if (auto parted = part(parting); !parted) return std::unexpected(parted.error());
  report_.last = last();
  auto finished = import_->finish([&](const fs::path& made) -> Result<void> {
    auto kept = first_ ? keep_beginning(made, *first_) : Result<void>();
    return kept && check ? check(made) : kept;
  });
  if (!finished) return std::unexpected(finished.error());
  return report_;
}

}  // namespace almanac
