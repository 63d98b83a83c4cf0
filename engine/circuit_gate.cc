#include <almanac/engine/circuit_gate.h>

#include <almanac/engine/circuit_board.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/thread_shard.h>

#include <algorithm>

namespace almanac {

void CircuitPermit::end(bool succeeded) {
  CircuitGate& gate = *std::exchange(gate_, nullptr);
  const Time now = gate.board_.now();
  const Duration took = std::max(Duration(0), now - began_);
  if (!probe_) return gate.record(succeeded, took, now);
  gate.board_.surroundings_.report(ObserveCircuit{.service = gate.service_,
                                                  .successes = succeeded ? 1U : 0U,
                                                  .failures = succeeded ? 0U : 1U,
                                                  .trailing_failures = succeeded ? 0U : 1U,
                                                  .took = took,
                                                  .probe = probe_});
}

void CircuitPermit::rate_limited(Time until) {
  CircuitGate& gate = *std::exchange(gate_, nullptr);
  gate.board_.surroundings_.report(ReportRateLimit{gate.service_, until});
  // A probe that is told nothing of goes back.
  if (probe_) {
    gate.board_.surroundings_.report(ObserveCircuit{.service = gate.service_, .probe = probe_});
  }
}

std::expected<CircuitPermit, CircuitRefusal> CircuitGate::allow() {
  const CircuitState state = state_.load(std::memory_order_acquire);
  const Time now = board_.now();
  if (state == CircuitState::closed || state == CircuitState::forced_closed) [[likely]] {
    return CircuitPermit(*this, now, Position());
  }
  if (state == CircuitState::half_open) return probe(now);
  const Time until = until_.load(std::memory_order_relaxed);
  return std::unexpected(
      CircuitRefusal{state, state == CircuitState::open ? std::max(until, now) : Time()});
}

std::expected<CircuitPermit, CircuitRefusal> CircuitGate::probe(Time now) {
  const auto refuse = [&](CircuitState state, Time at) {
    return std::unexpected(CircuitRefusal{state, at});
  };
  const Time soon = now + limits::circuit_retry;
  if (is_asking_.exchange(true)) return refuse(CircuitState::half_open, soon);
  const auto answer = board_.surroundings_.ask(ProbeCircuit{service_});
  is_asking_ = false;
  if (!answer) return refuse(CircuitState::half_open, soon);
  const auto& admission = std::get<CircuitAdmission>(*answer);
  if (admission.is_admitted) return CircuitPermit(*this, board_.now(), admission.probe);
  const bool is_half_open = admission.state == CircuitState::half_open;
  return refuse(admission.state, is_half_open ? soon : admission.until);
}

void CircuitGate::record(bool succeeded, Duration took, Time now) {
  Shard& shard = shards_[thread_shard(shards_.size())];
  shard.took.fetch_add(took.count(), std::memory_order_relaxed);
  if (succeeded) {
    if (failures_in_row_.load(std::memory_order_relaxed) != 0) failures_in_row_ = 0;
    shard.successes.fetch_add(1);
  } else {
    ++failures_in_row_;
    shard.failures.fetch_add(1);
  }
  // Whoever takes the results says first that he does, so that either he finds this one or it is
  // noted again.
  if (!is_noted_.load() && !is_noted_.exchange(true)) board_.note(now + limits::circuit_interval);
  if (!succeeded && may_open() && !is_urgent_.exchange(true)) board_.note(now);
}

// As far as can be seen from here: the engine decides.
bool CircuitGate::may_open() const {
  if (state_ != CircuitState::closed) return false;
  const std::uint32_t in_row_max = failures_in_row_max_;
  if (in_row_max > 0 && failures_in_row_ >= in_row_max) return true;
  std::uint64_t failures = failures_;
  std::uint64_t requests = failures_ + successes_;
  for (const Shard& shard : shards_) {
    failures += shard.failures;
    requests += shard.failures + shard.successes;
  }
  return requests >= requests_min_ && failures * 1'000 >= requests * failure_permille_;
}

ObserveCircuit CircuitGate::take() {
  ObserveCircuit results{.service = service_};
  is_urgent_ = false;
  if (!is_noted_.exchange(false)) return results;
  for (Shard& shard : shards_) {
    results.successes += shard.successes.exchange(0);
    results.failures += shard.failures.exchange(0);
    results.took += Duration(shard.took.exchange(0));
  }
  results.trailing_failures = std::min<std::uint64_t>(failures_in_row_, results.failures);
  return results;
}

void CircuitGate::put_back(const ObserveCircuit& results) {
  shards_[0].successes += results.successes;
  shards_[0].failures += results.failures;
  shards_[0].took += results.took.count();
  is_noted_ = true;
}

void CircuitGate::update(const Circuit& circuit, const CircuitSetting& setting) {
  const auto [successes, failures] = circuit.window.sum();
  successes_ = successes;
  failures_ = failures;
  requests_min_ = setting.requests_min;
  failure_permille_ = setting.failure_permille;
  failures_in_row_max_ = setting.consecutive_failures;
  if (changed_.exchange(circuit.changed) != circuit.changed) failures_in_row_ = 0;
  until_ = circuit.until;
  state_ = circuit.state;
}

}  // namespace almanac
