// One fold under test, behind a virtual call per batch of events, not per event.
#pragma once

#include <almanac/bench/projections/peer.h>
#include <almanac/bench/require.h>
#include <almanac/log/log.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::bench {

struct Range {
  Position from;
  Position through;
};

class Subject {
 public:
  virtual ~Subject() = default;
  // Folds the events of a range of the log, which goes on where the last one ended.
  virtual void fold(const Log& log, const Range& range) = 0;
  // Folds events one by one.
  virtual void fold(const RecordedEvent& event) = 0;
  [[nodiscard]] virtual Fingerprint fingerprint() const = 0;
};

struct System {
  std::string name;
  std::string what;
  std::function<std::unique_ptr<Subject>()> make;
};

// Ours; with `publish_every` > 0 it keeps a copy of the state after so many events, and drops the
// copy before it.
[[nodiscard]] System ours(std::uint64_t publish_every = 0);
// Those whose packages were there when this was built.
[[nodiscard]] std::vector<System> peers();
#ifdef ALMANAC_BENCH_ABSL
[[nodiscard]] System absl_btree();
#endif

// Reads a range and hands each event to `each`, which the compiler may inline.
template <class Each>
void read_range(const Log& log, const Range& range, Each each) {
  auto done = log.read(range.from, [&](const RecordedEvent& event) -> Result<bool> {
    each(event);
    return event.position < range.through;
  });
  require(done.has_value(), done ? "" : describe(done.error()));
}

template <class Family>
class Peer final : public Subject {
 public:
  void fold(const Log& log, const Range& range) override {
    read_range(log, range, [this](const RecordedEvent& event) { state_.fold(event); });
  }
  void fold(const RecordedEvent& event) override { state_.fold(event); }
  [[nodiscard]] Fingerprint fingerprint() const override { return state_.fingerprint(); }

 private:
  PeerState<Family> state_;
};

}  // namespace almanac::bench
