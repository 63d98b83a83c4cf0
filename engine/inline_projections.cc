#include <almanac/engine/inline_projections.h>

#include <almanac/engine/diagnostics.h>
#include <almanac/log/this_thread.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace almanac {
namespace {

Result<void> check(std::span<const AnyInlineProjection> projections) {
  std::set<std::string> names;
  for (const auto& projection : projections) {
    const auto& [name, initial] = *projection.definition();
    if (auto checked = almanac::check(name); !checked) return checked;
    if (!initial) {
      return fail(ErrorCode::invalid, "the projection '" + name.name + "' has no fold",
                  "give it one");
    }
    if (names.insert(name.name).second) continue;
    return fail(ErrorCode::invalid, "two projections are called '" + name.name + "'",
                "give each a name of its own");
  }
  return {};
}

}  // namespace

Result<std::any> AnyInlineProjection::find_in(const Publication& published) const {
  auto found = std::ranges::find_if(published.values, [this](const Publication::Value& value) {
    return value.projection == definition_;
  });
  if (found == published.values.end()) {
    return fail(ErrorCode::invalid,
                "the engine does not know the projection '" + definition_->name.name + "'",
                "open it with this one in EngineOptions::projections");
  }
  if (found->failure) return std::unexpected(*found->failure);
  return found->value;
}

Result<InlineProjections> InlineProjections::open(const Log& log,
                                                  const std::filesystem::path& folder,
                                                  std::span<const AnyInlineProjection> projections,
                                                  Position through) {
  if (auto checked = check(projections); !checked) return std::unexpected(checked.error());
  const ProjectionOptions options{.folder = folder};
  InlineProjections opened;
  for (const auto& projection : projections) {
    const auto& [name, initial] = *projection.definition();
    const ProjectionCheckpoints checkpoints(log, options, name);
    One one{projection, checkpoints, checkpoints.newest(*initial, through)};
    one.kept = one.reached.position;
    if (auto there = checkpoints.advance(one.reached, through); !there) {
      one.failure = there.error();
      warn(describe(there.error()));
    } else if (through.value - one.kept.value >= options.checkpoint_events) {
      keep(one);
    }
    opened.all_.push_back(std::move(one));
  }
  return opened;
}

std::vector<Publication::Value> InlineProjections::fold(std::span<const RecordedEvent> events) {
  for (One& one : all_) {
    for (const RecordedEvent& event : events) {
      if (one.failure) break;
      auto folded = fold_into(*one.reached.value, event);
      if (folded) {
        one.reached.position = event.position;
      } else {
        one.failure = folded.error();
        warn(describe(folded.error()));
      }
    }
  }
  if (policy_ && policy_->write) keep_due();
  return values();
}

std::vector<Publication::Value> InlineProjections::values() const {
  std::vector<Publication::Value> values;
  values.reserve(all_.size());
  for (const One& one : all_) {
    values.push_back({.projection = one.projection.definition(),
                      .value = one.failure ? std::any() : one.reached.value->copy(),
                      .failure = one.failure});
  }
  return values;
}

bool InlineProjections::is_due(const One& one, Clock::time_point now) const {
  if (one.failure || one.reached.position == one.kept || !one.reached.value->has_bytes()) {
    return false;
  }
  return one.reached.position.value - one.kept.value >= policy_->events ||
         now - one.kept_at >= policy_->period;
}

// The one that waits longest first, so that none is starved by another.
void InlineProjections::keep_due() {
  if (writing_.valid()) {
    if (writing_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
    finish_writing();
  }
  const auto now = Clock::now();
  auto due = all_.end();
  for (auto one = all_.begin(); one != all_.end(); ++one) {
    if (is_due(*one, now) && (due == all_.end() || one->kept_at < due->kept_at)) due = one;
  }
  if (due == all_.end()) return;
  written_ = static_cast<std::size_t>(due - all_.begin());
  kept_before_ = std::exchange(due->kept, due->reached.position);
  due->kept_at = now;
  auto value = std::make_shared<const ReachedValue>(due->reached.value->clone(), due->kept);
  writing_ = std::async(std::launch::async, [checkpoints = due->checkpoints, value] {
    this_thread::give_way();
    return checkpoints.keep(*value);
  });
}

// One that could not be written is tried again when the next is due, and at the end.
void InlineProjections::finish_writing() {
  auto kept = writing_.get();
  if (kept) return;
  warn(describe(kept.error()));
  if (all_[written_].kept == all_[written_].reached.position) all_[written_].kept = kept_before_;
}

void InlineProjections::keep() {
  if (writing_.valid()) finish_writing();
  for (One& one : all_) {
    if (!one.failure && one.reached.position != one.kept) keep(one);
  }
}

void InlineProjections::keep(One& one) {
  auto kept = one.checkpoints.keep(one.reached);
  if (kept) {
    one.kept = one.reached.position;
  } else {
    warn(describe(kept.error()));
  }
}

}  // namespace almanac
