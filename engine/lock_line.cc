#include <almanac/engine/lock_line.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace almanac {
namespace {

pid_t this_thread_id() {
  thread_local const pid_t id = ::gettid();
  return id;
}

std::string thread_text(pid_t thread) {
  if (thread == 0) return "a coroutine";
  std::string text = "thread " + std::to_string(thread);
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/comm");
  std::string name;
  if (std::getline(file, name)) text += " (" + name + ")";
  return text;
}

std::string wait_text(Duration duration) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f s", double(duration.count()) / 1e6);
  return text.data();
}

std::string utc_text(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", int(date.year()),
                unsigned(date.month()), unsigned(date.day()), int(clock.hours().count()),
                int(clock.minutes().count()), int(clock.seconds().count()));
  return text.data();
}

std::string place_text(const std::source_location& place) {
  return std::filesystem::path(place.file_name()).filename().string() + ":" +
         std::to_string(place.line());
}

}  // namespace

std::string describe(const LockHolder& holder) {
  return holder.who + " has held it for " + wait_text(holder.held_for) + ", since " +
         utc_text(holder.since) + ", taken at " + place_text(holder.taken_at);
}

void LockHold::release() {
  if (line_ != nullptr) std::exchange(line_, nullptr)->release(slot_);
}

LockLine::LockLine(std::string what, std::string name, std::uint32_t units, Again again)
    : what_(std::move(what)), name_(std::move(name)), units_(units), again_(again), free_(units) {
  ALMANAC_CHECK(units > 0 && units <= limits::readers_max);
}

LockLine::~LockLine() { ALMANAC_CHECK(free_ == units_ && line_.empty()); }

Result<LockHold> LockLine::take(std::uint32_t units, const LockOptions& options,
                                std::source_location from) {
  if (auto asked = check(units, options); !asked) return std::unexpected(asked.error());
  std::condition_variable served;
  Waiter waiter{.units = units, .from = from, .thread = this_thread_id(), .wake = [&served] {
                  served.notify_one();
                }};
  const auto is_served = enter(waiter);
  if (!is_served) return std::unexpected(is_served.error());
  if (*is_served) return LockHold(*this, waiter.slot);
  {
    const std::stop_callback on_stop(options.stop, [&] { leave(waiter, Phase::stopped); });
    std::unique_lock lock(mutex_);
    const bool is_over = served.wait_for(lock, std::chrono::nanoseconds(options.timeout),
                                         [&] { return waiter.phase != Phase::waiting; });
    if (!is_over) give_up(waiter, Phase::timed_out);
  }
  return outcome(waiter, options.timeout);
}

std::optional<LockHold> LockLine::try_take(std::uint32_t units, std::source_location from) {
  Waiter waiter{.units = units, .from = from, .thread = this_thread_id(), .wake = {}};
  std::lock_guard guard(mutex_);
  if (units == 0 || !line_.empty() || units > free_) return std::nullopt;
  serve(waiter);
  return LockHold(*this, waiter.slot);
}

LockAwaiter LockLine::take_on(CoroutineLoop& loop, std::uint32_t units, const LockOptions& options,
                              std::source_location from) {
  return {*this, loop, units, options, from};
}

Result<void> LockLine::check(std::uint32_t units, const LockOptions& options) const {
  if (units == 0 || units > units_) {
    return fail(ErrorCode::invalid,
                what_ + " \"" + name_ + "\" has " + std::to_string(units_) + " units, and " +
                    std::to_string(units) + " are asked for",
                "ask for 1 to " + std::to_string(units_));
  }
  if (options.timeout < Duration(0) || options.timeout > limits::wait_max) {
    return fail(
        ErrorCode::invalid,
        "a wait for " + what_ + " \"" + name_ + "\" cannot last " + wait_text(options.timeout),
        "wait for 0 s to " + wait_text(limits::wait_max));
  }
  if (options.stop.stop_requested()) {
    return fail(ErrorCode::stopped,
                "told to stop before " + what_ + " \"" + name_ + "\" was taken");
  }
  return {};
}

Result<bool> LockLine::enter(Waiter& waiter) {
  std::lock_guard guard(mutex_);
  if (const Slot* mine = held_by(waiter.thread); mine != nullptr && again_ == Again::refused) {
    return fail(ErrorCode::invalid,
                "this thread holds " + what_ + " \"" + name_ + "\" already, taken at " +
                    place_text(mine->from),
                "release it first, or pass the hold on to who needs it");
  }
  if (line_.empty() && waiter.units <= free_) {
    serve(waiter);
    return true;
  }
  waiter.phase = Phase::waiting;
  waiter.place = line_.insert(line_.end(), &waiter);
  return false;
}

void LockLine::leave(Waiter& waiter, Phase phase) {
  std::lock_guard guard(mutex_);
  if (waiter.phase != Phase::waiting) return;
  give_up(waiter, phase);
  waiter.wake();
}

Result<LockHold> LockLine::outcome(const Waiter& waiter, Duration timeout) {
  if (waiter.phase == Phase::served) return LockHold(*this, waiter.slot);
  const std::string lock = what_ + " \"" + name_ + "\"";
  if (waiter.phase == Phase::stopped) {
    return fail(ErrorCode::stopped, "told to stop while waiting for " + lock);
  }
  Error error{ErrorCode::timed_out, lock + " was not free within " + wait_text(timeout),
              "try again later, or wait longer"};
  error.with("lock", name_);
  const auto holding = holders();
  if (!holding.empty()) {
    const LockHolder& first = holding.front();
    error.message += ": " + describe(first);
    error.with("holder", first.who)
        .with("held_for_us", std::to_string(first.held_for.count()))
        .with("since", utc_text(first.since))
        .with("taken_at", place_text(first.taken_at));
  }
  if (holding.size() > 1) {
    error.message += ", and " + std::to_string(holding.size() - 1) + " more";
  }
  return std::unexpected(std::move(error));
}

void LockLine::release(std::size_t slot) {
  std::lock_guard guard(mutex_);
  free_ += std::exchange(slots_[slot].units, 0);
  unused_slots_.push_back(slot);
  serve_next();
}

const LockLine::Slot* LockLine::held_by(pid_t thread) const {
  if (thread == 0) return nullptr;
  const auto mine = std::ranges::find_if(
      slots_, [&](const Slot& slot) { return slot.units > 0 && slot.thread == thread; });
  return mine == slots_.end() ? nullptr : &*mine;
}

void LockLine::serve(Waiter& waiter) {
  if (unused_slots_.empty()) {
    unused_slots_.push_back(slots_.size());
    slots_.emplace_back();
  }
  waiter.slot = unused_slots_.back();
  unused_slots_.pop_back();
  slots_[waiter.slot] = {waiter.units, waiter.thread, steady_time(), waiter.from};
  free_ -= waiter.units;
  waiter.phase = Phase::served;
}

void LockLine::serve_next() {
  while (!line_.empty() && line_.front()->units <= free_) {
    Waiter& first = *line_.front();
    line_.pop_front();
    serve(first);
    first.wake();
  }
}

// Those behind it may have what it waited for.
void LockLine::give_up(Waiter& waiter, Phase phase) {
  line_.erase(waiter.place);
  waiter.phase = phase;
  serve_next();
}

std::vector<LockHolder> LockLine::holders() const {
  std::vector<Slot> held;
  {
    std::lock_guard guard(mutex_);
    std::ranges::copy_if(slots_, std::back_inserter(held),
                         [](const Slot& slot) { return slot.units > 0; });
  }
  std::ranges::sort(held, {}, &Slot::since);
  const auto now = steady_time();
  const Time today = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  std::vector<LockHolder> holders;
  for (const Slot& slot : held) {
    const auto held_for = std::chrono::floor<Duration>(now - slot.since);
    holders.push_back({.who = thread_text(slot.thread),
                       .units = slot.units,
                       .since = today - held_for,
                       .held_for = held_for,
                       .taken_at = slot.from});
  }
  return holders;
}

std::size_t LockLine::waiting() const {
  std::lock_guard guard(mutex_);
  return line_.size();
}

LockAwaiter::LockAwaiter(LockLine& line, CoroutineLoop& loop, std::uint32_t units,
                         LockOptions options, std::source_location from)
    : line_(line),
      loop_(loop),
      options_(std::move(options)),
      waiter_{.units = units, .from = from, .thread = 0, .wake = {}} {
  if (auto asked = line.check(units, options_); !asked) {
    asked_ = std::unexpected(std::move(asked).error());
  }
}

bool LockAwaiter::await_ready() { return !asked_; }

// Whatever thread ends the wait from here on, the coroutine goes on on this one, later.
bool LockAwaiter::await_suspend(std::coroutine_handle<> coroutine) {
  ALMANAC_CHECK(loop_.is_here());
  waiter_.wake = [this, coroutine] { loop_.resume(coroutine); };
  asked_ = line_.enter(waiter_);
  if (!asked_ || *asked_) return false;
  alarm_.emplace(loop_, loop_.now() + options_.timeout, GiveUp{this, LockLine::Phase::timed_out});
  on_stop_.emplace(options_.stop, GiveUp{this, LockLine::Phase::stopped});
  return true;
}

Result<LockHold> LockAwaiter::await_resume() {
  on_stop_.reset();
  alarm_.reset();
  if (!asked_) return std::unexpected(std::move(asked_).error());
  return line_.outcome(waiter_, options_.timeout);
}

}  // namespace almanac
