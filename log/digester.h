// Digests a frame on a thread of its own, while the thread that wrote it waits for the disk.
#pragma once

#include <almanac/log/types.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace almanac {

// Owned by a writer, whose thread alone may call.
class Digester {
 public:
  Digester();
  ~Digester();
  Digester(const Digester&) = delete;
  Digester& operator=(const Digester&) = delete;

  // Begins with these bytes, which must stay as they are until finish(). Small ones are digested
  // then, which costs less than a switch of threads.
  void start(Bytes bytes);
  [[nodiscard]] Digest finish();

 private:
  enum class Stage : std::uint8_t { idle, asked, done, closing };

  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  Stage stage_ = Stage::idle;  // guarded by mutex_
  Bytes bytes_;
  Digest digest_{};
  std::thread thread_;
};

}  // namespace almanac
