#include <almanac/engine/advisor.h>

#include <almanac/engine/diagnostics.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/submission.h>
#include <almanac/log/this_thread.h>

#include <algorithm>
#include <array>
#include <utility>

namespace almanac {
namespace {

AdvisorFault fault_of(const JsonProcess& process) {
  switch (process.ending()) {
    case JsonProcessEnd::none: return AdvisorFault::refused;
    case JsonProcessEnd::timed_out: return AdvisorFault::timed_out;
    case JsonProcessEnd::protocol: return AdvisorFault::protocol;
    case JsonProcessEnd::ended: return AdvisorFault::ended;
  }
  return AdvisorFault::ended;
}

// What cannot be read is asked about without it.
auto reader_of(const Log& log) {
  return [&log](const Task& task, const std::function<void(const TaskEnqueued&)>& visit) {
    (void)log.read_one(task.enqueued, [&](const Event& event) { visit(request_in(event.body)); });
  };
}

}  // namespace

std::string pool_of_advisor(const std::string& advisor) { return "advisor:" + advisor; }

Result<void> check(const AdvisorSpec& spec) {
  const auto invalid = [&](const std::string& what, std::string next_step) {
    return fail(ErrorCode::invalid, "the advisor '" + spec.name + "' " + what,
                std::move(next_step));
  };
  if (auto checked = check_name("name of an advisor", spec.name); !checked) return checked;
  if (auto checked = check_name("name of an advisor", pool_of_advisor(spec.name)); !checked) {
    return checked;
  }
  if (auto encoded = encode(spec.command); !encoded) {
    return invalid("cannot be started: " + encoded.error().message, encoded.error().next_step);
  }
  if (spec.size == 0 || spec.size > limits::pool_instances_max) {
    return invalid("has no number of processes that can be",
                   "say 1 to " + std::to_string(limits::pool_instances_max));
  }
  if (spec.tasks_max == 0 || spec.tasks_max > limits::advisor_tasks_max) {
    return invalid("is asked about a number of tasks that cannot be",
                   "say 1 to " + std::to_string(limits::advisor_tasks_max));
  }
  if (spec.attempts_max == 0 || spec.attempts_max > limits::attempts_max) {
    return invalid("has no number of attempts that can be",
                   "say 1 to " + std::to_string(limits::attempts_max));
  }
  const std::array durations = {spec.start_timeout,  spec.interval,         spec.valid_for,
                                spec.overtaking_max, spec.timeout,          spec.backoff,
                                spec.probe_backoff,  spec.probe_backoff_max};
  const auto is_possible = [](Duration duration) {
    return duration >= limits::advisor_duration_min && duration <= limits::pool_duration_max;
  };
  if (!std::ranges::all_of(durations, is_possible)) {
    return invalid("has a time that cannot be", "say 1ms to 366d");
  }
  return {};
}

Result<std::unique_ptr<AdvisorProcesses>> AdvisorProcesses::open(const AdvisorSpec& spec,
                                                                 Surroundings surroundings) {
  if (auto checked = check(spec); !checked) return std::unexpected(checked.error());
  auto factory = json_processes({.command = spec.command,
                                 .environment_allow = std::move(surroundings.environment_allow),
                                 .probe = sample_question(0).json,
                                 .probe_timeout = spec.start_timeout});
  if (!factory) return std::unexpected(factory.error());
  auto pool = Pool<JsonProcess>::open({.name = pool_of_advisor(spec.name),
                                       .size = spec.size,
                                       .temporary_max = 0,
                                       .slow_after = limits::pool_duration_max,
                                       .backoff = spec.backoff,
                                       .backoff_max = spec.probe_backoff_max,
                                       .on_event = std::move(surroundings.on_event)},
                                      std::move(*factory));
  if (!pool) return std::unexpected(pool.error());
  return std::unique_ptr<AdvisorProcesses>(new AdvisorProcesses(spec, std::move(*pool)));
}

std::expected<AdviceAnswer, AdviceFailure> AdvisorProcesses::ask(const AdviceQuestion& question) {
  const auto failure = [](AdvisorFault fault, std::string evidence) {
    return std::unexpected(AdviceFailure{fault, std::move(evidence)});
  };
  const SteadyTime until = steady_time() + timeout_;
  auto process = pool_.check_out(timeout_);
  if (!process) return failure(AdvisorFault::unavailable, describe(process.error()));
  {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return failure(AdvisorFault::unavailable, "the engine stops");
    asked_ = &**process;
  }
  auto text = (*process)->ask(question.json, until - steady_time());
  {
    const std::lock_guard lock(mutex_);
    asked_ = nullptr;
  }
  if (!text) {
    const std::string why = describe(text.error());
    (*process)->has_ended() ? process->discard(why) : process->failed(why);
    return failure(fault_of(**process), why);
  }
  auto answer = read_answer(*text, question);
  if (!answer) process->discard(answer.error().evidence);
  return answer;
}

void AdvisorProcesses::close() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    if (asked_ != nullptr) asked_->interrupt();
  }
  pool_.close();
}

Result<std::unique_ptr<Advisor>> Advisor::open(Surroundings surroundings, AdvisorSpec spec) {
  auto processes = AdvisorProcesses::open(spec, surroundings.processes);
  if (!processes) return std::unexpected(processes.error());
  return std::unique_ptr<Advisor>(
      new Advisor(std::move(surroundings), std::move(spec), std::move(*processes)));
}

Advisor::Advisor(Surroundings surroundings, AdvisorSpec spec,
                 std::unique_ptr<AdvisorProcesses> processes)
    : surroundings_(std::move(surroundings)),
      spec_(std::move(spec)),
      processes_(std::move(processes)),
      probe_backoff_(spec_.probe_backoff),
      standing_(std::make_shared<const AdvisorStanding>()),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Advisor::~Advisor() { stop(); }

std::shared_ptr<const AdvisorStanding> Advisor::standing() const {
  const std::lock_guard lock(mutex_);
  return standing_;
}

void Advisor::stop() {
  thread_.request_stop();
  processes_->close();
}

void Advisor::moved() {
  if (has_news_.exchange(true)) return;
  const std::lock_guard lock(mutex_);
  changed_.notify_one();
}

void Advisor::run(const std::stop_token& stop) {
  this_thread::set_name("almanac-advice");
  while (!stop.stop_requested()) {
    probe(stop);
    while (!stop.stop_requested() && standing()->mode == AdvisorMode::advising) advise(stop);
  }
}

// At first as patiently as later in the middle of the work, then once at a time.
void Advisor::probe(const std::stop_token& stop) {
  const auto sample = [this] { return sample_question(++number_); };
  std::uint32_t attempts = spec_.attempts_max;
  const bool has_failed = standing()->mode != AdvisorMode::absent;
  if (has_failed) {
    this_thread::wait_for(stop, probe_backoff_);
    probe_backoff_ = std::min(probe_backoff_ * 2, spec_.probe_backoff_max);
    attempts = 1;
  }
  auto answer = ask(sample, attempts, stop);
  if (stop.stop_requested()) return;
  if (answer) {
    show({.mode = AdvisorMode::advising});
  } else if (!has_failed) {
    fall_back(std::move(answer.error()), attempts);
  }
}

// One that has answered about tasks, and not only to probes, is probed again as soon as the first
// time.
void Advisor::advise(const std::stop_token& stop) {
  if (!wait_for_work(stop)) return;
  SteadyTime asked_at;
  auto answer = ask(
      [&] {
        asked_at = steady_time();
        return question();
      },
      spec_.attempts_max, stop);
  if (stop.stop_requested()) return;
  if (!answer) return fall_back(std::move(answer.error()), spec_.attempts_max);
  probe_backoff_ = spec_.probe_backoff;
  asked_at_ = asked_at;
  show({.mode = AdvisorMode::advising,
        .order = std::move(answer->order),
        .valid_until = asked_at + spec_.valid_for});
}

// What was wrong with an answer says more than that afterwards nobody was there to give another.
Advisor::Answer Advisor::ask(const MakeQuestion& make, std::uint32_t attempts_max,
                             const std::stop_token& stop) {
  Duration backoff = spec_.backoff;
  std::optional<AdviceFailure> failure;
  for (std::uint32_t attempt = 1;; ++attempt) {
    auto answer = processes_->ask(make());
    if (answer) return answer;
    if (!failure || answer.error().fault != AdvisorFault::unavailable) failure = answer.error();
    if (attempt == attempts_max || stop.stop_requested()) return std::unexpected(*failure);
    note("the advisor '" + spec_.name + "' gives no advice: " + answer.error().evidence);
    this_thread::wait_for(stop, backoff);
    backoff = std::min(backoff * 2, limits::pool_duration_max);
  }
}

AdviceQuestion Advisor::question() {
  has_news_ = false;
  return question_about(*surroundings_.state(), {.number = ++number_,
                                                 .now = surroundings_.clock(),
                                                 .tasks_max = spec_.tasks_max,
                                                 .read = reader_of(surroundings_.log)});
}

// When something has changed since the last answer, or that gets old, and not too soon. Of one task
// there is no order, but there may be nothing else that lets it begin.
bool Advisor::wait_for_work(const std::stop_token& stop) {
  const std::size_t tasks_min = spec_.has_fallback ? 2 : 1;
  const SteadyTime renewed_at = asked_at_ + spec_.valid_for / 2;
  const auto rest = [](SteadyTime until) { return std::max(until - steady_time(), Duration(0)); };
  const auto has_news = [this] { return has_news_.load(); };
  this_thread::wait_for(stop, rest(asked_at_ + spec_.interval));
  while (!stop.stop_requested()) {
    const bool is_due = has_news_.exchange(false) || steady_time() >= renewed_at;
    const bool is_needed = surroundings_.state()->tasks.ready.size() >= tasks_min;
    if (is_needed && is_due) return true;
    std::unique_lock lock(mutex_);
    if (is_needed) {
      (void)changed_.wait_for(lock, stop, rest(renewed_at), has_news);
    } else {
      (void)changed_.wait(lock, stop, has_news);
    }
  }
  return false;
}

void Advisor::show(AdvisorStanding standing) {
  const bool is_awaited = standing.mode != this->standing()->mode || !spec_.has_fallback;
  auto shown = std::make_shared<const AdvisorStanding>(std::move(standing));
  {
    const std::lock_guard lock(mutex_);
    standing_ = std::move(shown);
  }
  if (is_awaited) surroundings_.wake();
}

void Advisor::fall_back(AdviceFailure failure, std::uint32_t attempts) {
  const auto* meanwhile = spec_.has_fallback ? "the built-in order decides" : "nothing begins";
  warn("the advisor '" + spec_.name + "' gives no advice, and " + meanwhile + ": " +
       failure.evidence);
  asked_at_ = {};  // what it has said before counts no more
  show({.mode = spec_.has_fallback ? AdvisorMode::fallen_back : AdvisorMode::holding_back,
        .failure = std::move(failure),
        .attempts = attempts});
}

}  // namespace almanac
