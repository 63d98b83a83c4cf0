#include <almanac/engine/healer.h>

#include <almanac/engine/component_builds.h>
#include <almanac/engine/diagnostics.h>
#include <almanac/engine/limits.h>
#include <almanac/log/this_thread.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <system_error>

namespace almanac {
namespace {

// Paths as they are, so that a folder that is a link is the folder it leads to.
std::vector<ComponentSpec> resolved(std::vector<ComponentSpec> components) {
  for (ComponentSpec& component : components) {
    std::error_code error;
    const auto folder = std::filesystem::weakly_canonical(component.folder, error);
    if (!error) component.folder = folder;
  }
  return components;
}

bool builds(RepairStrategy strategy) {
  return strategy != RepairStrategy::restore && strategy != RepairStrategy::fix_permissions;
}

}  // namespace

Healer::Healer(Surroundings surroundings, std::vector<ComponentSpec> components)
    : surroundings_(std::move(surroundings)),
      components_(resolved(std::move(components))),
      looking_([this](const std::stop_token& stop) { look(stop); }) {}

Healer::Known Healer::find(const Name& name) const {
  for (const ComponentSpec& component : components_) {
    if (component.name != name.first) continue;
    for (const ComponentImplementation& one : component.implementations) {
      if (one.name == name.second) return {&component, &one};
    }
  }
  return {};
}

CommandRun Healer::surroundings_of(const Known& known, Duration timeout,
                                   const std::stop_token& stop) const {
  const std::filesystem::path& folder = known.component->folder;
  std::error_code ignored;  // a command that needs it says so
  std::filesystem::create_directory(folder / component_folder, ignored);
  return {.folder = folder,
          .timeout = timeout,
          .stop = stop,
          .environment = component_environment(folder),
          .guard_socket = surroundings_.guard_socket};
}

// What somebody wants to know now is not put off by what an event said before.
void Healer::check(const CheckComponent& check) {
  const std::lock_guard lock(mutex_);
  const auto [entry, added] = due_.try_emplace({check.component, check.implementation}, check.at);
  if (!added) entry->second = std::min(entry->second, check.at);
  has_news_ = true;
  changed_.notify_one();
}

void Healer::check_now(const std::string& component) {
  const Time now = surroundings_.clock();
  for (const ComponentSpec& known : components_) {
    if (!component.empty() && known.name != component) continue;
    for (const ComponentImplementation& one : known.implementations) {
      check({known.name, one.name, now});
    }
  }
}

void Healer::switched(const ComponentSwitch& change) {
  note("the component '" + change.component + "' goes on by '" + change.to + "' after '" +
       change.from + "': " + std::string(name(change.cause)));
  if (surroundings_.on_switch) surroundings_.on_switch(change);
}

void Healer::stop() {
  looking_.request_stop();
  repairing_.request_stop();
}

// Takes what is due first and looks at it, outside of the lock. What it has seen becomes an event,
// which says when it is due again.
void Healer::look(const std::stop_token& stop) {
  this_thread::set_name("almanac-check");
  this_thread::give_way();
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto first =
        std::ranges::min_element(due_, {}, [](const auto& one) { return one.second; });
    const Time now = surroundings_.clock();
    if (first == due_.end() || first->second > now) {
      const Duration wait = first == due_.end()
                                ? limits::timer_interval_max
                                : std::min(first->second - now, limits::timer_interval_max);
      has_news_ = false;
      changed_.wait_for(lock, stop, wait, [&] { return has_news_; });
      continue;
    }
    const Name name = first->first;
    due_.erase(first);
    lock.unlock();
    diagnose(name, stop);
    lock.lock();
  }
}

void Healer::diagnose(const Name& name, const std::stop_token& stop) {
  const Known known = find(name);
  if (known.component == nullptr) return;
  const Diagnosis seen =
      almanac::diagnose(*known.implementation, surroundings_of(known, limits::probe_timeout, stop));
  if (stop.stop_requested()) return;
  surroundings_.report(ReportDiagnosis{.component = name.first,
                                       .implementation = name.second,
                                       .issue = seen.issue,
                                       .evidence = seen.evidence,
                                       .version = seen.version,
                                       .took = seen.took});
}

void Healer::begin(const BeginRepair& repair) {
  repairing_ =
      std::jthread([this, repair](const std::stop_token& stop) { this->repair(repair, stop); });
}

// 1. do it  2. look what it has come to  3. keep what was built  4. report
void Healer::repair(const BeginRepair& repair, const std::stop_token& stop) {
  this_thread::set_name("almanac-repair");
  this_thread::give_way();
  const auto began = std::chrono::steady_clock::now();
  FinishRepair end{.component = repair.component,
                   .implementation = repair.implementation,
                   .repair = repair.repair,
                   .outcome = RepairOutcome::failed,
                   .left = repair.issue};
  const Known known = find({repair.component, repair.implementation});
  ALMANAC_CHECK(known.component != nullptr);  // it was described from the same list
  const CommandRun run = surroundings_of(known, repair.timeout, stop);
  const RepairResult result = almanac::repair(*known.implementation, repair.strategy, run);
  end.outcome = result.outcome;
  end.message = result.message;
  if (result.left != ComponentIssue::none) end.left = result.left;
  if (result.outcome == RepairOutcome::done) {
    const Diagnosis seen = almanac::diagnose(*known.implementation,
                                             surroundings_of(known, limits::probe_timeout, stop));
    end.left = seen.issue;
    end.message = seen.evidence;
  }
  if (stop.stop_requested()) {
    end.outcome = RepairOutcome::interrupted;
    end.left = repair.issue;
  }
  if (end.outcome != RepairOutcome::done && end.left == ComponentIssue::none) {
    end.left = ComponentIssue::unexplained;
  }
  if (end.left == ComponentIssue::none && builds(repair.strategy)) {
    const auto kept = ComponentBuilds(run.folder, *known.implementation).keep();
    if (!kept) warn("a build is not kept: " + describe(kept.error()));
  }
  end.took = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - began);
  surroundings_.report(std::move(end));
}

}  // namespace almanac
