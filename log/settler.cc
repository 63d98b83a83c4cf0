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
    auto frames = parts_.recent.take(limits::commit_bytes_target);
    if (frames.empty()) return;
    auto settled = settle(frames);
    if (settled) {
      parts_.recent.accept();
      continue;
    }
    Error why = settled.error();
    // Where there is no room for all, there may be for some.
    for (auto some = frames.size() / 2; !settled && is_full(settled.error()) && some > 0;
         some /= 2) {
      settled = settle(std::span(frames).first(some));
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
  parts_.journal.trim(commits_[0]);
  commits_ = {commits_[1], last};
  parts_.settled();
  return {};
}

}  // namespace almanac
