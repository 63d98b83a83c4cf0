// How far a log is on disk, told by its writer to every process that reads it: a small mapped file.
// The writer's tail need not be in the store yet, and what a reader finds in the journal need not
// be synced yet; this says where the line is.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/store.h>
#include <almanac/log/types.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>

namespace almanac {

// Owned by a Log. Any thread may call. Costs a store to memory and, for wake(), one system call
// that wakes whoever waits, in whichever process.
class DurableMark {
 public:
  // For writing, makes the file where it is missing; it need not survive anything: after a power
  // loss it is behind, never ahead. A reader that finds none looks for it again at every question.
  // Errors: corrupt (of another timeline, or not a mark), refused, io, storage_full.
  [[nodiscard]] static Result<std::unique_ptr<DurableMark>> open(const std::filesystem::path& file,
                                                                 const Timeline& timeline,
                                                                 Access access);
  ~DurableMark();
  DurableMark(const DurableMark&) = delete;
  DurableMark& operator=(const DurableMark&) = delete;

  // Everything up to here is on disk; the end of the log when the machine has not been started
  // since it was written.
  [[nodiscard]] Position position() const;
  // Whether the machine was started since it was written, or nobody ever wrote it. Then all that
  // can be read is on disk, which holds for what was read before this was asked: the first writer
  // since that start publishes before it appends.
  [[nodiscard]] bool is_of_an_earlier_boot() const;

  // Of the writer. For every reader from now on; who waits is told by wake().
  void set(Position last);
  // Both. Of the writer.
  void publish(Position last);
  // Ends every wait. Of the writer.
  void wake();
  // Waits until more than `seen` is on disk, the writer calls wake(), or the time is up; may end
  // early. Answers whether there is more.
  bool wait(Position seen, std::chrono::milliseconds time_max) const;

 private:
  struct Content;
  DurableMark(std::filesystem::path file, const Timeline& timeline)
      : file_(std::move(file)), timeline_(timeline) {}
  [[nodiscard]] Result<void> map(Access access) const;
  [[nodiscard]] Result<void> check(const Content& content) const;
  // None where there is no file yet.
  [[nodiscard]] const Content* look() const;

  const std::filesystem::path file_;
  const Timeline timeline_;
  mutable std::mutex mapping_;
  mutable std::atomic<Content*> content_ = nullptr;  // in the mapped file; set once, with the mutex
};

}  // namespace almanac
