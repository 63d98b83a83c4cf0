#include <almanac/engine/operation_counters.h>

#include <almanac/engine/thread_shard.h>

#include <algorithm>
#include <memory>

namespace almanac {

using std::chrono::nanoseconds;

struct alignas(64) OperationCounters::Shard {
  std::atomic<std::uint64_t> succeeded = 0;
  std::atomic<std::uint64_t> failed = 0;
  std::atomic<std::uint64_t> retries = 0;
  std::atomic<std::uint64_t> sum = 0;  // nanoseconds
  std::atomic<std::uint64_t> longest = 0;
  std::array<std::atomic<std::uint64_t>, DurationHistogram::bucket_count> buckets{};
};

namespace {

void add(std::atomic<std::uint64_t>& number, std::uint64_t more) {
  number.fetch_add(more, std::memory_order_relaxed);
}

void raise(std::atomic<std::uint64_t>& number, std::uint64_t to) {
  std::uint64_t before = number.load(std::memory_order_relaxed);
  while (before < to && !number.compare_exchange_weak(before, to, std::memory_order_relaxed)) {}
}

}  // namespace

OperationCounters::~OperationCounters() {
  for (auto& place : shards_) delete place.load();
}

OperationCounters::Shard& OperationCounters::own_shard() {
  std::atomic<Shard*>& place = shards_[thread_shard(shards_.size())];
  Shard* shard = place.load(std::memory_order_acquire);
  if (shard != nullptr) [[likely]]
    return *shard;
  auto fresh = std::make_unique<Shard>();
  if (place.compare_exchange_strong(shard, fresh.get())) return *fresh.release();
  return *shard;
}

template <class Look>
void OperationCounters::for_each_shard(Look look) const {
  for (const auto& place : shards_) {
    const Shard* shard = place.load(std::memory_order_acquire);
    if (shard != nullptr) look(*shard);
  }
}

void OperationCounters::count(bool succeeded, std::uint32_t retries, nanoseconds took) {
  const auto number = static_cast<std::uint64_t>(took.count());
  Shard& shard = own_shard();
  add(shard.buckets[DurationHistogram::bucket_of(took)], 1);
  add(shard.sum, number);
  raise(shard.longest, number);
  if (retries > 0) add(shard.retries, retries);
  add(succeeded ? shard.succeeded : shard.failed, 1);
}

OperationCounters::Totals OperationCounters::totals() const {
  Totals totals;
  for_each_shard([&](const Shard& shard) {
    totals.succeeded += shard.succeeded.load(std::memory_order_relaxed);
    totals.failed += shard.failed.load(std::memory_order_relaxed);
  });
  return totals;
}

OperationCounters::Details OperationCounters::details() const {
  Details details;
  for_each_shard([&](const Shard& shard) {
    details.retries += shard.retries;
    details.sum += nanoseconds(shard.sum);
    details.longest = std::max(details.longest, nanoseconds(shard.longest));
    for (std::size_t i = 0; i < shard.buckets.size(); ++i) {
      details.durations.add(i, shard.buckets[i]);
    }
  });
  return details;
}

}  // namespace almanac
