// Judges what a scheduler did that was killed again and again, by a record of its own: what was
// acknowledged, what the log held after each kill, and what the workers wrote down themselves. It
// shares no code with the state and the decisions it judges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace almanac::test {

// Of one log folder, from its first run to the end of its workload. A worker's record has lines of
// 64 bytes: "start|end|child TASK ATTEMPT LEASE PROCESS CODE".
class KillOracle {
 public:
  explicit KillOracle(std::set<std::string> labels) : labels_(std::move(labels)) {}

  // A line that `almanac run --json` printed; the record had `record_bytes` when it was read.
  void acknowledge(std::string_view line, std::size_t record_bytes);

  // What is there when no process of the run is left: all of `almanac log cat --json`, all of the
  // record. Checks both, and them against each other and all acknowledgements.
  struct Evidence {
    std::string_view log;
    std::string_view record;
  };
  void check(const Evidence& evidence);
  // After a last check: every task of the workload must have ended.
  void expect_all_ended();

  // In words, oldest first; empty as long as every promise was kept.
  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

  struct Figures {
    std::uint64_t acknowledged = 0;  // ends of attempts, of tasks that will be retried too
    std::uint64_t ends = 0;          // of attempts and tasks in the log
    std::uint64_t starts = 0;        // that workers recorded
    std::uint64_t children = 0;
    std::uint64_t submitted = 0;
    std::uint64_t ended = 0;  // tasks
    std::uint64_t engines = 0;
    std::uint64_t unacknowledged = 0;  // ends that the last check found and nobody had been told
  };
  [[nodiscard]] const Figures& figures() const { return figures_; }
  [[nodiscard]] std::uint64_t last_position() const { return events_.size(); }

 private:
  struct Event {
    std::string type;
    std::uint64_t task = 0;
    std::uint64_t attempt = 0;
    std::uint64_t lease = 0;
    std::string status;
  };
  struct Task {
    std::string label;
    std::uint64_t lease = 0;
    std::uint64_t attempt = 0;
    std::string ended;  // by which type of event
  };
  struct Acknowledgement {
    std::uint64_t position = 0;
    std::uint64_t task = 0;
    std::uint64_t attempt = 0;
    std::string label;
    std::string type;  // of the event it stands for
  };
  struct Line {
    std::string what;
    std::uint64_t task = 0;
    std::uint64_t attempt = 0;
    std::uint64_t lease = 0;
    std::int64_t process = 0;
    std::int64_t code = 0;
  };
  struct Attempt {
    bool ended = false;
    std::int64_t code = 0;
  };

  void see_log(std::string_view log);
  void see_event(std::string_view line);
  void enqueue(std::uint64_t id, const std::string& label);
  void start(std::uint64_t position, const Event& event);
  void end(std::uint64_t position, const Event& event);
  void see_record(std::string_view record);
  void see_start(const Line& line, std::size_t offset);
  void see_end(const Line& line);
  void check_acknowledgements();
  void check_ends(std::size_t first);
  void close_ended(std::size_t record_bytes);
  void violated(std::string what) { violations_.push_back(std::move(what)); }

  std::set<std::string> labels_;
  std::string log_;
  std::string record_;
  std::vector<Event> events_;  // [position - 1]
  std::map<std::uint64_t, Task> tasks_;
  std::set<std::string> submitted_;
  std::vector<Acknowledgement> acknowledgements_;          // since the last check
  std::set<std::uint64_t> acknowledged_;                   // positions
  std::unordered_map<std::uint64_t, std::size_t> closed_;  // tasks that may not start behind …
  std::map<std::uint64_t, Attempt> attempts_;              // by lease, as recorded
  std::vector<std::string> violations_;
  Figures figures_;
};

}  // namespace almanac::test
