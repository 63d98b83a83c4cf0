// What is done with a log while it is recorded. To add an operation: a member of Workload and a
// line in the table of workload.cc.
#pragma once

#include <almanac/log/log.h>
#include <almanac/tests/disk/disk_image.h>
#include <almanac/tests/disk/recording.h>

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace almanac::test {

// A program that uses one log and knows what it was promised. One thread.
class Workload {
 public:
  struct Options {
    std::filesystem::path folder;  // of the log
    Recorder* recorder = nullptr;  // told of all promises
    // A fault: what was handed over is promised at once.
    std::optional<Mark::Kind> promised_at_append = {};
  };
  explicit Workload(Options options);
  ~Workload();
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;

  // The operations. Each waits until its outcome is known; a reader reads all the time.
  void append_one() { append(1, 60); }
  void append_several() { append_in_batches(4, 200); }
  void append_256() { append(256, 100); }
  void append_mebibyte() { append(1, limits::mebibyte); }
  // Only this one does not wait: the next one does, or closing.
  void append_grouped();
  // With a wrong version, which is refused, and with the right one.
  void append_with_version();
  // Again what was appended with a key before, then something new, and that again.
  void append_with_key();
  void append_and_settle();
  void close_and_open();
  void fill_map();
  void trim();
  void compact();
  // Not in the table: at some moments of it only a repair opens the log.
  void damage_and_repair();

 private:
  struct Promised {
    std::uint64_t position = 0;
    std::uint64_t content = 0;
  };
  struct Keyed {
    std::shared_ptr<const EventBatch> batch;
    Position first;
  };
  void open(std::size_t map_bytes);
  void check_contents();
  bool append(std::size_t count, std::size_t bytes);
  void append_in_batches(std::size_t count, std::size_t bytes);
  void hand_over(const std::shared_ptr<const EventBatch>& batch, const AppendOptions& options = {});
  [[nodiscard]] std::shared_ptr<const EventBatch> make_events(std::size_t count, std::size_t bytes,
                                                              bool keyed = false);
  void repeat();
  bool wait();
  void on_commit(const CommitReport& report);
  void mark(Mark::Kind kind, const Promised& promised);

  Options options_;
  std::uint64_t number_ = 0;                // of the last event made, kept or not
  std::vector<Promised> ends_{Promised{}};  // of the batches handed over and not refused
  std::uint64_t shown_ = 0;
  std::optional<Keyed> keyed_;  // the last one that was stored

  std::mutex mutex_;
  std::uint64_t through_ = 0;   // guarded by mutex_
  std::optional<Error> error_;  // guarded by mutex_
  std::unique_ptr<Log> log_;
};

struct Operation {
  std::string_view name;
  void (Workload::*run)();
  int weight;  // in random runs
};
[[nodiscard]] std::span<const Operation> operations();
[[nodiscard]] const Operation& damage_and_repair();

// What is there when a recording begins.
enum class Start : std::uint8_t {
  nothing,  // the log is created
  closed,   // a log with a few events
  killed,   // the same, and its program was killed: they are in the journal only
};

// What one recording is of.
struct Scenario {
  std::string name;
  Start start = Start::closed;
  std::vector<const Operation*> operations;  // between opening and closing
};
// Every sequence of one to `length` operations, each from every start.
[[nodiscard]] std::vector<Scenario> all_sequences(std::size_t length);
[[nodiscard]] Scenario random_run(std::uint64_t seed, std::size_t length);

// What was there when the recording began, and what happened then.
struct RecordedScenario {
  DiskImage before;
  Recording recording;
};
// Whether what was recorded leads to what lies in the folder now; else a call was missed.
[[nodiscard]] bool is_complete(const RecordedScenario& recorded,
                               const std::filesystem::path& folder, SectorPool& pool);
// Runs it for real, in a folder of its own under TMPDIR. Stops the test program when the recording
// is not complete.
[[nodiscard]] RecordedScenario record(const Scenario& scenario, SectorPool& pool,
                                      std::optional<Mark::Kind> promised_at_append = {});

}  // namespace almanac::test
