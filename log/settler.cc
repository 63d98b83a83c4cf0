#include <almanac/log/settler.h>

#include <almanac/log/limits.h>
#include <almanac/log/this_thread.h>

#include <utility>
#include <vector>

namespace almanac {
namespace {

bool is_full(const Error& error) { return error.code == ErrorCode::storage_full; }

}  // namespace

Settler::Settler(Parts parts) : parts_(std::move(parts)), thread_([this] { run(); }) {}

Settler::~Settler() {
  parts_.recent.close();
  thread_.join();
}

void Settler::run() {
  this_thread::set_name("almanac-settle");
  this_thread::give_way();
  while (true) {
    const auto taken = parts_.recent.take(limits::commit_bytes_target);
    if (!taken) return;
    const std::span<const SharedFrame> frames(*taken);
    if (frames.empty()) {
      make_room();
      continue;
    }
    auto settled = settle(frames);
    if (settled) {
      parts_.recent.accept();
      continue;
    }
    Error why = settled.error();
    // Where there is no room for all, there may be for some.
    for (auto some = frames.size() / 2; !settled && is_full(settled.error()) && some > 0;
         some /= 2) {
      settled = settle(frames.first(some));
    }
    if (!settled) why = settled.error();
    // What is here stays durable in the journal; the next open finds it there.
    parts_.recent.refuse(why);
    if (!settled && (!is_full(why) || parts_.recent.closing())) return;
    parts_.recent.pause(limits::settle_retry_interval);
  }
}

Result<void> Settler::settle(std::span<const SharedFrame> frames) {
  std::vector<Store::Frame> values;
  values.reserve(frames.size());
  for (const SharedFrame& frame : frames) values.push_back({frame->first, frame->value()});
  auto last = frames.back()->last;
  auto records = parts_.index.records(last);
  if (parts_.recent.closing() && parts_.recent.last()->last == last) {
    records.journal_use = JournalUse::closed;
  }
  if (auto written = parts_.store.append(values, records); !written) return written;
  parts_.index.settled(last);
  parts_.recent.drop(last);
  committed(last);
  parts_.settled();
  return {};
}

// With commits that change nothing. Otherwise a full disk would never have room again: what is in
// the way goes after two further commits, and those come with appends. Where there is no room for
// them either, the next append that finds none asks again.
void Settler::make_room() {
  while (trimmed_ != commits_[1] && parts_.store.set_journal_use(JournalUse::open)) {
    committed(commits_[1]);
  }
}

void Settler::committed(Position through) {
  trimmed_ = commits_[0];
  parts_.journal.trim(trimmed_);
  commits_ = {commits_[1], through};
}

}  // namespace almanac
