// Jobs on their way into the engine: PUSH and PUSHB.
#include <almanac/daemon/wire_jobs.h>
#include <almanac/daemon/wire_json.h>
#include <almanac/engine/pool_memory.h>

#include <algorithm>
#include <set>
#include <utility>

namespace almanac {
namespace {

// It would never be given out.
bool has_expired(const WireJob& job) {
  return job.expires_at != Time() && job.expires_at <= std::max(system_time(), job.due);
}

}  // namespace

// One PUSHB.
struct WireJobs::Pushing {
  std::size_t open = 1;  // submissions, and one for the loop that makes them
  std::string errors;
  Done done;

  void add_error(std::string_view jid, std::string_view text) {
    errors += (errors.empty() ? "" : ",") + wire_quoted(jid) + ":" + wire_quoted(text);
  }
  void end_one() {
    if (--open == 0) done(wire_bulk("{" + errors + "}"));
  }
};

void WireJobs::push(std::string_view argument, Done done) {
  auto job = parse_wire_job(argument);
  if (!job) return done(wire_error(job.error().message));
  const bool is_unique = job->unique_for > Duration(0);
  if (has_expired(*job)) return done(wire_simple("OK"));
  std::vector<TaskSpec> tasks;
  tasks.push_back(task_of(*job, std::string(argument)));
  engine_.submit(
      std::move(tasks),
      pooled([self = weak_from_this(), post = post_, done = std::move(done), queue = job->queue,
              is_unique](Result<std::vector<Submitted>> submitted) mutable {
        std::string reply = wire_simple("OK");
        if (!submitted) {
          const bool is_taken = is_unique && submitted.error().code == ErrorCode::conflict;
          reply = is_taken ? wire_error("Job not unique", "NOTUNIQUE")
                           : wire_refusal(submitted.error());
        }
        if (!submitted) queue.clear();
        (*post)(pooled([self = std::move(self), done = std::move(done), queue = std::move(queue),
                        reply = std::move(reply)]() mutable {
          const auto jobs = queue.empty() ? nullptr : self.lock();
          if (jobs) jobs->remember_queue(queue);
          done(std::move(reply));
        }));
      }));
}

void WireJobs::push_all(std::string_view argument, Done done) {
  const auto list = parse_wire_list(argument);
  if (!list) return done(wire_error("invalid JSON: " + list.error().message));
  const auto is_object = [](const WireValue& value) { return value.kind == WireKind::object; };
  if (!std::ranges::all_of(*list, is_object)) {
    return done(wire_error("invalid JSON: not all of the list are objects"));
  }
  const auto pushing = std::make_shared<Pushing>();
  pushing->done = std::move(done);
  std::vector<TaskSpec> together;
  for (const WireValue& value : *list) {
    auto job = parse_wire_job(value.text);
    if (!job) {
      const auto members = parse_wire_object(value.text);
      const WireValue* jid = members ? find_member(*members, "jid") : nullptr;
      pushing->add_error(jid == nullptr ? std::string() : jid->string, job.error().message);
      continue;
    }
    if (has_expired(*job)) continue;
    TaskSpec task = task_of(*job, std::string(value.text));
    // What may be refused for itself is no reason to refuse others.
    if (task.unique || !task.group.empty()) {
      submit_some(pushing, {std::move(task)});
    } else {
      together.push_back(std::move(task));
      if (together.size() == limits::submission_tasks_max) {
        submit_some(pushing, std::exchange(together, {}));
      }
    }
  }
  if (!together.empty()) submit_some(pushing, std::move(together));
  pushing->end_one();
}

void WireJobs::submit_some(const std::shared_ptr<Pushing>& pushing, std::vector<TaskSpec> tasks) {
  std::vector<std::string> jids;
  std::set<std::string> named;
  for (const TaskSpec& task : tasks) {
    jids.push_back(task.label);
    named.insert(task.queue);
  }
  const bool is_unique = tasks.front().unique.has_value();
  ++pushing->open;
  engine_.submit(std::move(tasks), [self = weak_from_this(), post = ports_.post, pushing,
                                    jids = std::move(jids), named = std::move(named),
                                    is_unique](Result<std::vector<Submitted>> submitted) {
    std::string text;
    if (!submitted) {
      const bool is_taken = is_unique && submitted.error().code == ErrorCode::conflict;
      text = is_taken ? "NOTUNIQUE Job not unique" : submitted.error().message;
    }
    post([self, pushing, jids, named, text] {
      if (!text.empty()) {
        for (const std::string& jid : jids) pushing->add_error(jid, text);
      } else if (const auto jobs = self.lock()) {
        for (const std::string& queue : named) jobs->remember_queue(queue);
      }
      pushing->end_one();
    });
  });
}

}  // namespace almanac
