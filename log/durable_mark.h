// How far a log is on disk, told by its writer to every process that reads it: a small mapped file.
// The writer's tail need not be in the store yet, and what a reader finds in the journal need not
// be synced yet; this says where the line is.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/store.h>
#include <almanac/log/types.h>

#include <chrono>
#include <filesystem>
#include <memory>

namespace almanac {

// Owned by a Log. Any thread may call. Costs a store to memory and, for publish(), one system call
// that wakes whoever waits, in whichever process.
class DurableMark {
 public:
  // For writing, makes the file where it is missing; it need not survive anything: after a power
  // loss it is behind, never ahead. Errors: corrupt (of another timeline, or not a mark), refused,
  // io, storage_full.
  [[nodiscard]] static Result<std::unique_ptr<DurableMark>> open(const std::filesystem::path& file,
                                                                 const Timeline& timeline,
                                                                 Access access);
  ~DurableMark();
  DurableMark(const DurableMark&) = delete;
  DurableMark& operator=(const DurableMark&) = delete;

  // Everything up to here is on disk; the end of the log when the machine has not been started
  // since it was written.
  [[nodiscard]] Position position() const;
  // Whether the machine was started since it was written. Then all that can be read is on disk.
  [[nodiscard]] bool is_of_an_earlier_boot() const { return earlier_boot_; }

  // Of the writer.
  void publish(Position last);
  // Ends every wait. Of the writer.
  void wake();
  // Waits until more than `seen` is on disk, the writer calls wake(), or the time is up; may end
  // early. Answers whether there is more.
  bool wait(Position seen, std::chrono::milliseconds time_max) const;

 private:
  struct Content;
  DurableMark() = default;
  Content* content_ = nullptr;  // in the mapped file, or of this process where there is none
  std::unique_ptr<Content> own_;
  bool earlier_boot_ = false;
};

}  // namespace almanac
