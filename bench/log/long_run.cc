#include <almanac/bench/log/long_run.h>

#include <almanac/bench/log/cases.h>
#include <almanac/bench/log/ours.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

namespace almanac::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t group_size = 1'000;
constexpr std::size_t in_flight = 4;
constexpr std::size_t tenths = 10;
// The reader may have read this part of what was written.
constexpr std::uint64_t reader_part = 20;

// Pages that belong to the process and to no file.
double memory_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kibibytes = 0;
    if (word == "RssAnon:" && status >> kibibytes) return kibibytes * 1024;
  }
  stop("/proc/self/status does not tell RssAnon");
}

// Follows the log by position, frame by frame, never further than a part of the way.
class SlowReader {
 public:
  explicit SlowReader(const Log& log) : log_(log), thread_([this] { run(); }) {}
  ~SlowReader() {
    ended_ = true;
    written_.set(written_.get() + 1);
    thread_.join();
  }
  SlowReader(const SlowReader&) = delete;
  SlowReader& operator=(const SlowReader&) = delete;
  void written(std::uint64_t events) { written_.set(events); }
  [[nodiscard]] std::uint64_t read() const { return read_; }

 private:
  void run() {
    for (auto written = written_.get(); !ended_; written = written_.get()) {
      if (read_ >= written / reader_part) {
        written_.wait_change(written);
        continue;
      }
      auto more = log_.read_frames(Position(read_ + 1), [&](const FrameReader& frame) {
        for (std::uint32_t i = 0; i < frame.header().count; ++i) {
          require(frame.event(i).has_value(), "the slow reader met an event it cannot read");
        }
        read_ = frame.header().last().value;
        return Result<bool>(false);
      });
      require(more.has_value(), more ? "" : describe(more.error()));
    }
  }

  const Log& log_;
  Acknowledged written_;
  std::atomic<bool> ended_{false};
  std::atomic<std::uint64_t> read_{0};
  std::thread thread_;
};

struct Filled {
  std::vector<double> tenths_per_second;
  double memory_peak_bytes = 0;
  double file_bytes = 0;
  std::uint64_t read = 0;
};

// Appends `groups` groups, some in flight, and tells `durable` after each wait.
template <class Durable>
void append_groups(Ours& log, const Payloads& payloads, std::size_t groups, Durable durable) {
  // A group's payloads live until it is on disk.
  std::vector<std::vector<Bytes>> ring(in_flight, std::vector<Bytes>(group_size));
  const auto before = log.count();
  for (std::size_t posted = 0, done = 0; done < groups;) {
    for (; posted < groups && posted - done < in_flight; ++posted) {
      auto& group = ring[posted % in_flight];
      auto next = log.count();
      for (Bytes& payload : group) payload = payloads.at(next++);
      log.post(group);
    }
    const auto through = log.wait_beyond(before + (done + 1) * group_size - 1);
    done = (through - before) / group_size;
    durable(through);
  }
}

Filled fill_log(const Payloads& payloads, std::uint64_t events, const fs::path& folder,
                bool beside_reader) {
  Filled filled;
  Ours log(folder);
  log.open();
  auto reader = beside_reader ? std::make_unique<SlowReader>(log.log()) : nullptr;
  for (std::size_t tenth = 0; tenth < tenths; ++tenth) {
    const auto began = Clock::now();
    const auto groups = events / tenths / group_size;
    append_groups(log, payloads, groups, [&](std::uint64_t through) {
      if (reader) reader->written(through);
      if (through / group_size % 16 != 0) return;
      filled.memory_peak_bytes = std::max(filled.memory_peak_bytes, memory_bytes());
    });
    const auto took = std::chrono::duration<double>(Clock::now() - began).count();
    filled.tenths_per_second.push_back(static_cast<double>(groups * group_size) / took);
  }
  if (reader) filled.read = reader->read();
  reader.reset();
  log.close();
  filled.file_bytes = static_cast<double>(fs::file_size(folder / "log" / "data.mdb"));
  log.open();
  check_content(log, payloads, true);
  return filled;
}

}  // namespace

LongRun run_long(const Payloads& payloads, std::uint64_t events, const fs::path& folder) {
  events = std::max<std::uint64_t>(events / tenths / group_size, 1) * tenths * group_size;
  const auto alone = fill_log(payloads, events, folder, false);
  fs::remove_all(folder);
  const auto beside = fill_log(payloads, events, folder, true);
  fs::remove_all(folder);
  return {.events = events,
          .tenths_per_second = alone.tenths_per_second,
          .memory_peak_bytes = std::max(alone.memory_peak_bytes, beside.memory_peak_bytes),
          .file_bytes = alone.file_bytes,
          .file_bytes_beside_reader = beside.file_bytes,
          .read = beside.read};
}

}  // namespace almanac::bench
