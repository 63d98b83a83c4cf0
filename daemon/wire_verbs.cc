#include <almanac/daemon/wire_verbs.h>

#include <almanac/daemon/wire_batches.h>
#include <almanac/daemon/wire_info.h>
#include <almanac/daemon/wire_json.h>
#include <almanac/daemon/wire_sets.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace almanac {
namespace {

std::vector<std::string> names_in(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) names.emplace_back(text.substr(0, end));
    if (names.size() > 1 + limits::lease_names_max) break;  // behind the subcommand
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return names;
}

std::string in_upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return upper;
}

std::string seconds_text(Duration duration) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.6f", double(duration.count()) / 1e6);
  return text.data();
}

}  // namespace

WireVerbs::WireVerbs(Engine& engine, WirePorts ports, WireVerbOptions options)
    : engine_(engine),
      ports_(std::move(ports)),
      options_(std::move(options)),
      jobs_(std::make_shared<WireJobs>(engine, ports_, options_.fetch_wait)) {}

void WireVerbs::perform(const WireRequest& request, WireSession& session, Done done) {
  ++commands_;
  const std::string_view verb = request.verb;
  if (verb == "PUSH") return jobs_->push(request.argument, std::move(done));
  if (verb == "ACK") return jobs_->ack(request.argument, std::move(done));
  if (verb == "FETCH") {
    return jobs_->fetch(request, session, workers_.is_quiet(session), std::move(done));
  }
  if (verb == "BEAT") return done(workers_.beat(request.argument, steady_time()));
  if (verb == "FAIL") return jobs_->fail(request.argument, std::move(done));
  if (verb == "PUSHB") return jobs_->push_all(request.argument, std::move(done));
  if (verb == "INFO") return info(done);
  if (verb == "FLUSH") return flush(std::move(done));
  if (verb == "MUTATE") return mutate(request, std::move(done));
  if (verb == "QUEUE") return queue(request, std::move(done));
  if (verb == "BATCH") return batch(request, std::move(done));
  if (verb == "TRACK") return track(request, std::move(done));
  done(wire_error("unknown command " + std::string(verb)));
}

void WireVerbs::info(const Done& done) {
  const auto state = engine_.state();
  const auto& counted = jobs_->counters();
  done(wire_bulk(wire_info_json(*state, {.description = options_.description,
                                         .now = system_time(),
                                         .uptime = steady_time() - begun_,
                                         .connections = connections,
                                         .commands = commands_,
                                         .processed = counted.processed,
                                         .failures = counted.failures,
                                         .reservations_reaped = counted.reaped,
                                         .workers = workers_.size(),
                                         .workers_reaped = workers_.reaped(),
                                         .queues = jobs_->queues})));
}

void WireVerbs::call_aside(std::function<Result<void>()> call, Done done) {
  ports_.aside([post = ports_.post, call = std::move(call), done = std::move(done)] {
    const auto called = call();
    post(
        [done, reply = called ? wire_simple("OK") : wire_refusal(called.error())] { done(reply); });
  });
}

void WireVerbs::flush(Done done) {
  call_aside(
      [&engine = engine_, jobs = jobs_, post = ports_.post] {
        auto flushed = flush_wire_jobs(engine);
        if (flushed) post([jobs] { jobs->forget_all(); });
        return flushed;
      },
      std::move(done));
}

void WireVerbs::mutate(const WireRequest& request, Done done) {
  auto mutation = parse_wire_mutation(request.argument);
  if (!mutation) return done(wire_error(mutation.error().message));
  call_aside([&engine = engine_,
              mutation = std::move(*mutation)] { return mutate_wire_jobs(engine, mutation); },
             std::move(done));
}

void WireVerbs::batch(const WireRequest& request, Done done) {
  ports_.aside([&engine = engine_, post = ports_.post, argument = std::string(request.argument),
                done = std::move(done)] {
    post([done, reply = perform_wire_batch(engine, argument)] { done(reply); });
  });
}

void WireVerbs::track(const WireRequest& request, Done done) {
  const std::string_view argument = request.argument;
  if (argument == "GET" || argument == "GET ") {
    return done(wire_error("TRACK GET must name a jid"));
  }
  if (argument.starts_with("GET ")) {
    const std::string jid(argument.substr(4));
    const auto id = find_tracked(*engine_.state(), jid);
    return ports_.aside([&engine = engine_, post = ports_.post, done = std::move(done), jid,
                         told = id ? jobs_->told(*id) : std::nullopt] {
      post([done, reply = wire_bulk(wire_track_json(engine.log(), *engine.state(), jid, told))] {
        done(reply);
      });
    });
  }
  if (!argument.starts_with("SET ")) {
    return done(wire_error("no such TRACK subcommand: " +
                           std::string(argument.substr(0, argument.find(' ')))));
  }
  auto progress = parse_wire_progress(argument.substr(4));
  if (!progress) return done(wire_error(progress.error().message));
  jobs_->report(*progress, std::move(done));
}

std::vector<std::string> WireVerbs::known_queues() const {
  const auto state = engine_.state();
  auto known = jobs_->queues;
  for (const auto& [lane, places] : state->tasks.ready.lanes()) {
    known.emplace(state->names.text(lane.queue));
  }
  return {known.begin(), known.end()};
}

void WireVerbs::latency(const std::vector<std::string>& names, const Done& done) {
  if (std::ranges::find(names, "*") != names.end()) {
    return done(wire_error("QUEUE LATENCY does not support wildcards"));
  }
  const auto state = engine_.state();
  const Time now = system_time();
  std::string json;
  for (const std::string& name : names) {
    json += (json.empty() ? "" : ",") + wire_quoted(name) + ":" +
            seconds_text(wire_queue_latency(*state, name, now));
  }
  done(wire_bulk("{" + json + "}"));
}

void WireVerbs::queue(const WireRequest& request, Done done) {
  auto names = names_in(request.argument);
  if (names.empty()) return done(wire_error("no such QUEUE subcommand: "));
  const std::string subcommand = in_upper_case(names.front());
  names.erase(names.begin());
  if (names.size() > limits::lease_names_max) {
    return done(
        wire_error("QUEUE names at most " + std::to_string(limits::lease_names_max) + " queues"));
  }
  if (subcommand == "LATENCY") return latency(names, done);
  const bool pauses = subcommand == "PAUSE";
  const bool removes = subcommand == "REMOVE";
  if (!pauses && !removes && subcommand != "RESUME") {
    return done(wire_error("no such QUEUE subcommand: " + subcommand));
  }
  if (names.empty()) {
    return done(wire_error("QUEUE " + subcommand + " must name at least one queue, or *"));
  }
  if (std::ranges::find(names, "*") != names.end()) names = known_queues();
  if (removes) {
    for (const std::string& name : names) jobs_->queues.erase(name);
  }
  call_aside(
      [&engine = engine_, names, pauses, removes]() -> Result<void> {
        for (const std::string& name : names) {
          const auto changed = removes  ? remove_wire_queue(engine, name)
                               : pauses ? engine.pause(PauseScope::queue, name)
                                        : engine.resume(PauseScope::queue, name);
          // What no queue can be called is unknown, and that is no error.
          if (!changed && changed.error().code != ErrorCode::invalid) return changed;
        }
        return {};
      },
      std::move(done));
}

}  // namespace almanac
