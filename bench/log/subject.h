// One system under test: it takes payloads, numbers them from 1, keeps them durably and reads them
// back. What a benchmark may ask of the log, of its peers and of the bare disk.
#pragma once

#include <almanac/bench/require.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::bench {

// Microseconds since 1970, for the events.
[[nodiscard]] std::int64_t wall_micros();

struct Record {
  std::uint64_t position = 0;
  std::int64_t time = 0;  // microseconds since 1970
  Bytes payload;
};

// What a scan has read of every event: position, time, and the payload's length and first byte.
struct ScanSum {
  std::uint64_t count = 0;
  std::uint64_t positions = 0;
  std::uint64_t times = 0;
  std::uint64_t lengths = 0;
  std::uint64_t first_bytes = 0;

  void add(const Record& record) {
    ++count;
    positions += record.position;
    times += static_cast<std::uint64_t>(record.time);
    lengths += record.payload.size();
    first_bytes += std::to_integer<std::uint64_t>(record.payload.front());
  }
};

class Asynchronous;

// Lives in a folder of its own. Failures end the program.
class Subject {
 public:
  virtual ~Subject() = default;

  // Opened again, it goes on where it ended. Closing brings all background work to its end.
  virtual void open() = 0;
  virtual void close() = 0;
  // How many events it has taken.
  [[nodiscard]] virtual std::uint64_t count() const = 0;

  // One atomic step, on disk when it returns. One thread at a time.
  virtual void append(std::span<const Bytes> group) = 0;
  // One event, from any of many threads; on disk when it returns.
  virtual void append_shared(Bytes payload) = 0;
  // Itself, when it takes more while the first is on its way to the disk.
  [[nodiscard]] virtual Asynchronous* asynchronous() { return nullptr; }

  // Visits events in order, up to the last; the first kept is 1 unless a subject says otherwise.
  using Visit = std::function<void(const Record&)>;
  virtual void read(const Visit& visit) = 0;
  // The same, with ScanSum::add inlined where the subject's interface allows it.
  [[nodiscard]] virtual ScanSum scan() = 0;
};

class Asynchronous {
 public:
  // One atomic step that is durable later. `group` and its bytes live until then. One thread.
  virtual void post(std::span<const Bytes> group) = 0;
  // Waits until more than `events` are on disk; answers how many are.
  [[nodiscard]] virtual std::uint64_t wait_beyond(std::uint64_t events) = 0;

 protected:
  ~Asynchronous() = default;
};

struct System {
  std::string name;      // "SQLite"
  std::string settings;  // its version and what it was told
  std::function<std::unique_ptr<Subject>(const std::filesystem::path& folder)> make;
};

// The bare disk: a zero-filled file, reused, one pwrite and one fdatasync per group.
[[nodiscard]] System raw_disk();
// Bare memory: records behind each other in a mapped file. Only for scans; nothing is durable.
[[nodiscard]] System raw_map();
[[nodiscard]] System ours();
// Those whose packages were there when this was built.
[[nodiscard]] std::vector<System> peers();

}  // namespace almanac::bench
