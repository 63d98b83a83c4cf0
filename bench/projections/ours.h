// Almanac's own state as a subject.
#pragma once

#include <almanac/bench/projections/subject.h>
#include <almanac/projections/state.h>

namespace almanac::bench {

[[nodiscard]] Fingerprint fingerprint_of(const State& state);

class Ours final : public Subject {
 public:
  explicit Ours(std::uint64_t publish_every) : publish_every_(publish_every) {}

  void fold(const Log& log, const Range& range) override;
  void fold(const RecordedEvent& event) override { fold_into(state_, event); }
  [[nodiscard]] Fingerprint fingerprint() const override { return fingerprint_of(state_); }
  [[nodiscard]] const State& state() const { return state_; }

 private:
  std::uint64_t publish_every_;
  State state_;
  std::shared_ptr<const State> published_;
};

}  // namespace almanac::bench
