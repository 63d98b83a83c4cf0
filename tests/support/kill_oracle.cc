#include <almanac/tests/support/kill_oracle.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

namespace almanac::test {
namespace {

constexpr std::size_t record_line_bytes = 64;

std::string text(std::uint64_t number) { return std::to_string(number); }

// The event that a line of the run speaks of, by the state it names.
std::string type_of(const std::string& state) {
  static const std::map<std::string, std::string> types = {{"succeeded", "TaskSucceeded"},
                                                           {"retrying", "TaskAttemptFailed"},
                                                           {"failed", "TaskFailed"},
                                                           {"cancelled", "TaskCancelled"}};
  auto found = types.find(state);
  return found == types.end() ? "the unknown state " + state : found->second;
}

bool ends_attempt(const std::string& type) {
  static constexpr std::array<std::string_view, 4> types = {"TaskSucceeded", "TaskAttemptFailed",
                                                            "TaskFailed", "TaskCancelled"};
  return std::ranges::find(types, type) != types.end();
}

bool ends_task(const std::string& type) {
  return ends_attempt(type) && type != "TaskAttemptFailed";
}

nlohmann::json parse(std::string_view line) {
  auto json = nlohmann::json::parse(line, nullptr, false);
  return json.is_object() ? json : nlohmann::json::object();
}

std::uint64_t number(const nlohmann::json& json, const char* key) {
  return json.value(key, std::uint64_t{0});
}

}  // namespace

void KillOracle::acknowledge(std::string_view line, std::size_t record_bytes) {
  auto json = parse(line);
  if (json.empty()) return violated("printed what is not JSON: " + std::string(line));
  if (!json.contains("task")) return;  // the sums at the end
  Acknowledgement said{.position = number(json, "position"),
                       .task = number(json, "task"),
                       .attempt = number(json, "attempt"),
                       .label = json.value("label", ""),
                       .type = type_of(json.value("state", ""))};
  ++figures_.acknowledged;
  if (!acknowledged_.insert(said.position).second) {
    violated("position " + text(said.position) + " was acknowledged twice");
  }
  if (ends_task(said.type)) closed_.try_emplace(said.task, record_bytes);
  acknowledgements_.push_back(std::move(said));
}

void KillOracle::check(const Evidence& evidence) {
  auto known = events_.size();
  figures_.unacknowledged = 0;
  see_log(evidence.log);
  check_acknowledgements();
  see_record(evidence.record);
  check_ends(known);
  close_ended(evidence.record.size());
}

void KillOracle::expect_all_ended() {
  for (const std::string& label : labels_) {
    if (!submitted_.contains(label)) violated(label + " was never submitted");
  }
  for (const auto& [id, task] : tasks_) {
    if (task.ended.empty()) violated("task " + text(id) + " (" + task.label + ") has not ended");
  }
}

// What was seen before must still be there, byte for byte; what is new must be allowed.
void KillOracle::see_log(std::string_view log) {
  if (!log.starts_with(log_)) {
    auto same = std::ranges::mismatch(log, log_).in2 - log_.begin();
    auto lines = std::count(log_.begin(), log_.begin() + same, '\n');
    return violated("the log has changed or lost what stood at position " +
                    std::to_string(lines + 1));
  }
  auto rest = log.substr(log_.size());
  log_ = log;
  while (!rest.empty()) {
    auto size = std::min(rest.find('\n'), rest.size());
    see_event(rest.substr(0, size));
    rest.remove_prefix(std::min(size + 1, rest.size()));
  }
}

void KillOracle::see_event(std::string_view line) {
  auto json = parse(line);
  auto position = events_.size() + 1;
  if (number(json, "position") != position) {
    violated("position " + text(position) + " is missing; there is " + std::string(line));
  }
  events_.push_back({.type = json.value("type", ""),
                     .task = number(json, "task"),
                     .attempt = number(json, "attempt"),
                     .lease = number(json, "lease"),
                     .status = json.value("status", "")});
  const Event& event = events_.back();
  if (event.type == "EngineStarted") ++figures_.engines;
  if (event.type == "TaskEnqueued") return enqueue(event.task, json.value("label", ""));
  if (event.task == 0) return;
  auto task = tasks_.find(event.task);
  if (task == tasks_.end()) {
    return violated("position " + text(position) + " speaks of an unknown task");
  }
  if (!task->second.ended.empty()) {
    return violated("task " + text(event.task) + " had ended, then came " + std::string(line));
  }
  if (event.type == "TaskStarted") start(position, event);
  if (ends_attempt(event.type) || event.type == "TaskHandedBack") end(position, event);
}

void KillOracle::enqueue(std::uint64_t id, const std::string& label) {
  ++figures_.submitted;
  if (!labels_.contains(label)) violated("nobody submitted " + label);
  if (!submitted_.insert(label).second) violated(label + " was submitted twice");
  if (!tasks_.try_emplace(id, Task{.label = label}).second) {
    violated("task " + text(id) + " was given twice");
  }
}

void KillOracle::start(std::uint64_t position, const Event& event) {
  Task& task = tasks_.at(event.task);
  if (task.lease != 0) {
    violated("task " + text(event.task) + " holds lease " + text(task.lease) + " and got " +
             text(position));
  }
  if (event.attempt != task.attempt + 1) {
    violated("task " + text(event.task) + " began attempt " + text(event.attempt) + " after " +
             text(task.attempt));
  }
  task.lease = position;
  task.attempt = event.attempt;
}

void KillOracle::end(std::uint64_t position, const Event& event) {
  Task& task = tasks_.at(event.task);
  if (task.lease != event.lease) {
    violated("position " + text(position) + " ends lease " + text(event.lease) + " of task " +
             text(event.task) + ", which holds " + text(task.lease));
  }
  task.lease = 0;
  if (!ends_attempt(event.type)) return;
  ++figures_.ends;
  if (!acknowledged_.contains(position)) ++figures_.unacknowledged;
  if (!ends_task(event.type)) return;
  ++figures_.ended;
  task.ended = event.type;
}

void KillOracle::check_acknowledgements() {
  for (const Acknowledgement& said : std::exchange(acknowledgements_, {})) {
    auto what = said.type + " of task " + text(said.task) + " at position " + text(said.position);
    if (said.position == 0 || said.position > events_.size()) {
      violated("acknowledged and lost: " + what);
      continue;
    }
    const Event& event = events_[said.position - 1];
    if (event.type != said.type || event.task != said.task) {
      violated("acknowledged " + what + ", but there stands " + event.type + " of task " +
               text(event.task));
      continue;
    }
    auto task = tasks_.find(said.task);
    if (task == tasks_.end() || task->second.label != said.label) {
      violated("acknowledged " + said.label + ", which is not task " + text(said.task));
    }
    bool ran = event.lease > 0 && event.lease < said.position;
    if (ran && events_[event.lease - 1].attempt != said.attempt) {
      violated("acknowledged a wrong attempt: " + what);
    }
  }
}

void KillOracle::see_record(std::string_view record) {
  if (!record.starts_with(record_) || record.size() % record_line_bytes != 0) {
    return violated("the workers' record is damaged: the test itself is broken");
  }
  auto offset = record_.size();
  record_ = record;
  for (; offset < record.size(); offset += record_line_bytes) {
    std::istringstream words(std::string(record.substr(offset, record_line_bytes)));
    Line line;
    words >> line.what >> line.task >> line.attempt >> line.lease >> line.process >> line.code;
    if (!words) return violated("the workers' record cannot be read: the test itself is broken");
    if (line.what == "start") see_start(line, offset);
    if (line.what == "end") see_end(line);
    if (line.what == "child") ++figures_.children;
  }
}

void KillOracle::see_start(const Line& line, std::size_t offset) {
  ++figures_.starts;
  auto what = "attempt " + text(line.attempt) + " of task " + text(line.task);
  auto closed = closed_.find(line.task);
  if (closed != closed_.end() && offset >= closed->second) {
    violated(what + " ran although the task was known to have ended");
  }
  bool granted = line.lease > 0 && line.lease <= events_.size();
  if (granted) {
    const Event& event = events_[line.lease - 1];
    granted =
        event.type == "TaskStarted" && event.task == line.task && event.attempt == line.attempt;
  }
  if (!granted) violated(what + " ran without its start in the log");
  if (!attempts_.try_emplace(line.lease).second) violated(what + " ran twice");
}

void KillOracle::see_end(const Line& line) {
  auto attempt = attempts_.find(line.lease);
  if (attempt == attempts_.end()) return violated("an end without a start in the record");
  attempt->second = {.ended = true, .code = line.code};
}

// What the log says about how attempts ended is what the workers did.
void KillOracle::check_ends(std::size_t first) {
  for (auto i = first; i < events_.size(); ++i) {
    const Event& event = events_[i];
    if (event.status != "succeeded" && event.status != "exited") {
      bool died = event.type == "TaskHandedBack" && event.status == "crashed";  // the engine
      bool allowed = event.status.empty() || event.status == "timed_out" || died;
      if (!allowed) violated("position " + text(i + 1) + " has the status " + event.status);
      continue;
    }
    auto attempt = attempts_.find(event.lease);
    bool ended = attempt != attempts_.end() && attempt->second.ended;
    bool succeeded = ended && attempt->second.code == 0;
    if (!ended || succeeded != (event.status == "succeeded")) {
      violated("position " + text(i + 1) + " says " + event.status + " of task " +
               text(event.task) + ", its worker does not");
    }
  }
}

void KillOracle::close_ended(std::size_t record_bytes) {
  for (const auto& [id, task] : tasks_) {
    if (!task.ended.empty()) closed_.try_emplace(id, record_bytes);
  }
}

}  // namespace almanac::test
