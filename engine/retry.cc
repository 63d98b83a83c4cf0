#include <almanac/engine/retry.h>

#include <algorithm>
#include <array>
#include <new>
#include <random>
#include <system_error>

namespace almanac {

bool is_transient(const std::exception& thrown) {
  static constexpr std::array passing = {
      std::errc::connection_aborted,
      std::errc::connection_refused,
      std::errc::connection_reset,
      std::errc::device_or_resource_busy,
      std::errc::host_unreachable,
      std::errc::interrupted,
      std::errc::network_down,
      std::errc::network_reset,
      std::errc::network_unreachable,
      std::errc::no_buffer_space,
      std::errc::not_enough_memory,
      std::errc::resource_unavailable_try_again,
      std::errc::timed_out,
      std::errc::too_many_files_open,
      std::errc::too_many_files_open_in_system,
  };
  if (dynamic_cast<const std::bad_alloc*>(&thrown) != nullptr) return true;
  const auto* of_system = dynamic_cast<const std::system_error*>(&thrown);
  return of_system != nullptr && std::ranges::any_of(passing, [&](std::errc condition) {
           return of_system->code() == condition;
         });
}

std::function<bool(const Error&)> on_codes(std::initializer_list<ErrorCode> codes) {
  return [codes = std::vector(codes)](const Error& error) {
    return std::ranges::find(codes, error.code) != codes.end();
  };
}

RetryPlan::RetryPlan(RetryOptions options)
    : options_(std::move(options)), began_(options_.clock.now()) {}

std::optional<Duration> RetryPlan::failed(const Error& error) {
  ++failures_;
  if (!options_.retries(error)) return std::nullopt;
  return next(describe(error));
}

std::optional<Duration> RetryPlan::failed(const std::exception& thrown) {
  ++failures_;
  if (!options_.retries_thrown(thrown)) return std::nullopt;
  return next(thrown.what());
}

std::optional<Duration> RetryPlan::next(const std::string& what) {
  if (failures_ >= options_.attempts_max || options_.stop.stop_requested()) return std::nullopt;
  if (options_.seed == 0) options_.seed = std::random_device()();
  const Duration delay = retry_delay(
      options_.backoff, {.policy = options_.policy, .seed = options_.seed, .failures = failures_});
  if (options_.clock.now() - began_ + delay > options_.time_max) return std::nullopt;
  if (options_.on_retry) options_.on_retry({failures_, delay, what});
  return delay;
}

bool RetryPlan::wait(Duration delay) const {
  options_.clock.wait_for(options_.stop, delay);
  return !options_.stop.stop_requested();
}

Retrying::Retrying(RetryOptions options) : plan_(std::move(options)) {}

void Retrying::failed(Error error) {
  error_ = std::move(error);
  is_new_ = true;
}

bool Retrying::goes_on() {
  if (!std::exchange(is_new_, false)) return false;
  const auto delay = plan_.failed(*error_);
  if (!delay || !plan_.wait(*delay)) return false;
  error_.reset();
  return true;
}

}  // namespace almanac
